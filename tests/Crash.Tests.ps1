BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    function Get-StageFile([string] $Filter = '*') {
        @(Get-ChildItem $folder -File -Force -ErrorAction Ignore | Where-Object Name -Like $Filter)
    }

    # A leftover counts as dead when the folder changed long after it; so it is made old, not waited for.
    function Set-Old([System.IO.FileInfo[]] $File) {
        $File | Where-Object { $_ } | ForEach-Object { $_.LastWriteTimeUtc = [datetime]::UtcNow.AddHours(-1) }
    }

    function New-Nonce {
        [guid]::NewGuid().ToString('N')
    }

    # Saves 4 GiB, of 64 MiB of memory: it is killed long before the end.
    $slowSave = {
        param($store, $step)
        $piece = [byte[]]::new(64MB)
        $with = $step ? @{ Step = [long] $step; Overwrite = $true } : @{}
        Save-Checkpoint s -State (, $piece * 64) -Store $store -Pipeline default -Run '' @with
    }

    # The store, and what else belongs to a test, at a place of its own; from a template where one is given.
    function Initialize-Store([string] $Template) {
        $script:store = New-TestStore -Missing:([bool] $Template)
        if ($Template) {
            Copy-Item $Template $store -Recurse
        }
        $script:folder = "$store/default/stages/s"
        $script:at = @{ Store = $store; Pipeline = 'default'; Run = '' }
    }

    function Start-SlowSave([string] $Step = '') {
        $child = Start-Pwsh $slowSave $store, $Step
        Wait-Until { $child.Process.HasExited -or (Get-StageFile '~*.tmp').Where({ $_.Length -gt 1MB }) }
        $child.Process.HasExited | Should -BeFalse
        $child
    }
}

Describe 'A store whose writer was killed' -Tag Files {
    BeforeEach {
        Initialize-Store
    }

    Context 'in the middle of a first save' {
        BeforeAll {
            Initialize-Store
            $null = Stop-Pwsh (Start-SlowSave)
            $killed = $store
        }

        BeforeEach {
            Initialize-Store $killed
        }

        It 'has no such checkpoint: it is not listed, not done, and cannot be restored' {
            Get-StageFile '~*.tmp' | Should -Not -BeNullOrEmpty
            Get-Checkpoint @at | Should -BeNullOrEmpty
            Get-Checkpoint s -AllSteps @at -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
            Test-Checkpoint s @at -WarningAction Stop | Should -BeFalse
            { Restore-Checkpoint s @at } | Should -Throw -ErrorId 'CheckpointNotFound,*'
        }

        It 'saves again as if nothing had been' {
            (Save-Checkpoint s -State 'after' -PassThru @at).Step | Should -Be 1
            Restore-Checkpoint s @at | Should -Be 'after'
        }

        It 'is rid of the leftover by a later save' {
            Set-Old (Get-StageFile)
            Save-Checkpoint s @at
            (Get-StageFile).Name | Should -Be '0000000001.json'
        }
    }

    Context 'in the middle of overwriting' {
        BeforeAll {
            Initialize-Store
            $old = [byte[]]::new(50000)
            [array]::Fill($old, [byte] 7)
            Save-Checkpoint s -State $old -Step 1 @at
            $null = Stop-Pwsh (Start-SlowSave -Step 1)
            $killed = $store
        }

        BeforeEach {
            Initialize-Store $killed
        }

        It 'has the old one, whole' {
            $restored = Restore-Checkpoint s -Step 1 @at -WarningAction Stop
            [System.Linq.Enumerable]::SequenceEqual([byte[]] $restored, $old) | Should -BeTrue
            (Get-Checkpoint s -AllSteps @at).Step | Should -Be 1
            Test-Checkpoint s @at | Should -BeTrue
        }

        It 'can be overwritten again, and is rid of the leftovers' {
            Set-Old (Get-StageFile '~*.tmp')
            Save-Checkpoint s -State 'new' -Step 1 -Overwrite @at
            Restore-Checkpoint s @at | Should -Be 'new'
            (Get-StageFile).Name | Should -Be '0000000001.json'
        }
    }

    It 'at any moment holds every save that was reported done, and nothing torn' {
        $seed = Get-Random
        Write-Information "seed $seed" -InformationAction Continue
        $random = [random]::new($seed)
        $writer = {
            param($store, $signal)
            $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
            for ($n = 1; ; $n++) {
                $data = [byte[]]::new((10, 30000, 300000)[$n % 3])
                [array]::Fill($data, [byte] ($n % 251))
                $step = (Save-Checkpoint s -State @{ n = $n; data = $data } -Keep 20 -PassThru @at).Step
                "s $step"
                Save-Checkpoint fixed -State @{ n = $n; data = $data } -Step 1 -Overwrite @at
                "fixed $n"
                if ($n -eq 1) {
                    $null = New-Item $signal
                }
            }
        }
        $done = 0
        foreach ($round in 1..5) {
            $signal = "$(New-TestFolder)/started"
            $child = Start-Pwsh $writer $store, $signal
            Wait-Until { $child.Process.HasExited -or (Test-Path $signal) }
            Start-Sleep -Milliseconds $random.Next(200)
            $left = Stop-Pwsh $child
            $left.ErrorOutput | Should -BeNullOrEmpty

            $reported = $left.Output -match '^s \d+$' -replace '\D' | ForEach-Object { [long] $_ }
            $reported[0] | Should -BeGreaterThan $done
            $done = $reported[-1]
            $steps = @((Get-Checkpoint s -AllSteps @at -WarningAction Stop).Step)
            $steps[0] | Should -BeIn $done, ($done + 1)
            $steps.Count | Should -BeLessOrEqual 21
            $done = $steps[0]
            foreach ($checkpoint in Get-Checkpoint s, fixed -AllSteps @at -WarningAction Stop) {
                $state = $checkpoint | Restore-Checkpoint -WarningAction Stop
                $data = [byte[]]::new((10, 30000, 300000)[$state.n % 3])
                [array]::Fill($data, [byte] ($state.n % 251))
                [System.Linq.Enumerable]::SequenceEqual([byte[]] $state.data, $data) | Should -BeTrue
            }
            $fixed = ($left.Output -match '^fixed \d+$')[-1] -replace '\D'
            (Restore-Checkpoint fixed @at).n | Should -BeIn ([int] $fixed), ([int] $fixed + 1)
        }

        # One more save each leaves nothing but what the records name.
        foreach ($name in 's', 'fixed') {
            $script:folder = "$store/default/stages/$name"
            Set-Old (Get-StageFile '~*.tmp')
            Set-Old (Get-StageFile '*.state')
            Save-Checkpoint $name @at
            $named = Get-StageFile '*.json' | ForEach-Object { $_.Name; (Get-Content $_ -Raw | ConvertFrom-Json).state.payload.file } | Where-Object { $_ }
            (Get-StageFile).Name | Sort-Object | Should -Be ($named | Sort-Object)
        }
    }

    It 'lets a save of another go on that is only slow, whatever the age of its file' {
        if ($IsWindows) {
            Set-ItResult -Skipped -Because 'Windows has no signals'
            return
        }
        $writer = {
            param($store)
            $piece = [byte[]]::new(64MB)
            Save-Checkpoint s -State (, $piece * 6) -Store $store -Pipeline default -Run ''
        }
        $child = Start-Pwsh $writer $store
        try {
            Wait-Until { (Get-StageFile '~*.tmp').Where({ $_.Length -gt 1MB }) }
            sh -c "kill -STOP $($child.Process.Id)"
            $file = Get-StageFile '~*.tmp'
            Set-Old $file
            1..2 | ForEach-Object { Save-Checkpoint s -State $_ @at }
            Clear-Checkpoint s -Step 1 @at
            $file.FullName | Should -Exist
        }
        finally {
            sh -c "kill -CONT $($child.Process.Id)"
        }
        $result = Wait-Pwsh $child
        $result.ErrorOutput | Should -BeNullOrEmpty
        (Get-Checkpoint s -AllSteps @at).Step | Should -Be 3, 2
        (Restore-Checkpoint s @at).Count | Should -Be 6
    }

    It 'by Ctrl+C, at once, keeps nothing of the save' {
        if ($IsWindows) {
            Set-ItResult -Skipped -Because 'Windows has no signals'
            return
        }
        Save-Checkpoint s -State 'old' -Step 1 @at
        $child = Start-SlowSave -Step 1
        $clock = [Diagnostics.Stopwatch]::StartNew()
        sh -c "kill -INT $($child.Process.Id)"
        Wait-Until { -not (Get-StageFile '~*.tmp') } -TimeoutSeconds 10
        $clock.Elapsed.TotalSeconds | Should -BeLessThan 1
        $null = Stop-Pwsh $child
        (Get-StageFile).Name | Should -Be '0000000001.json'
        Restore-Checkpoint s @at | Should -Be 'old'
    }
}

Describe 'A leftover' -Tag Files {
    BeforeAll {
        Initialize-Store
        1..3 | ForEach-Object { Save-Checkpoint s -State ([byte[]]::new(20000)) @at }
        $template = $store
    }

    BeforeEach {
        Initialize-Store $template
        $whole = (Get-StageFile).Name
        $whole | Should -HaveCount 6
        $record = [IO.File]::ReadAllText((Get-RecordPath $store s -Step 3))
    }

    It 'is never read, though it is a whole record: <_>' -ForEach 'temporary file', 'payload without a record' {
        [IO.File]::WriteAllText("$folder/$($_ -eq 'temporary file' ? "~$(New-Nonce).tmp" : "0000000009.$(New-Nonce).state")", $record.Replace('"step": 3', '"step": 9'))
        (Get-Checkpoint s -AllSteps @at -WarningAction Stop).Step | Should -Be 3, 2, 1
        { Restore-Checkpoint s -Step 9 @at } | Should -Throw -ErrorId 'CheckpointNotFound,*'
        (Save-Checkpoint s -PassThru @at).Step | Should -Be 4
    }

    It 'is removed by a later save <How>, once it is dead: <What>' -ForEach @(
        foreach ($how in @{ How = 'of the next step'; With = @{} }, @{ How = 'of a given step'; With = @{ Step = 9 } }, @{ How = 'that overwrites'; With = @{ Step = 2; Overwrite = $true } }) {
            $how + @{ What = 'a temporary file'; File = { "~$(New-Nonce).tmp" } }
            $how + @{ What = 'an empty temporary file'; File = { "~$(New-Nonce).tmp" }; Content = '' }
            $how + @{ What = 'a payload whose record was never written'; File = { "0000000004.$(New-Nonce).state" } }
            $how + @{ What = 'a second payload of a step, by an overwrite that was cut off'; File = { "0000000003.$(New-Nonce).state" } }
        }
    ) {
        $path = "$folder/$(& $File)"
        [IO.File]::WriteAllText($path, $Content ?? $record)
        Set-Old (Get-Item $path -Force)
        Save-Checkpoint s -State 'small' @With @at
        $path | Should -Not -Exist
        # What is in use stays.
        foreach ($step in 1, 3) {
            (Restore-Checkpoint s -Step $step @at -WarningAction Stop).Length | Should -Be 20000
        }
    }

    It 'is left alone as long as it may be alive: <What>' -ForEach @(
        @{ What = 'a temporary file'; File = { "~$(New-Nonce).tmp" } }
        @{ What = 'a payload'; File = { "0000000009.$(New-Nonce).state" } }
    ) {
        $path = "$folder/$(& $File)"
        [IO.File]::WriteAllText($path, $record)
        # The clock of a network share may be ahead of this one.
        foreach ($time in [datetime]::UtcNow, [datetime]::UtcNow.AddSeconds(1)) {
            [IO.File]::SetLastWriteTimeUtc($path, $time)
            Save-Checkpoint s @at
            $path | Should -Exist
        }
    }

    It 'of an overwrite that was cut off goes while the record still names its payload' {
        $orphan = "$folder/0000000002.$(New-Nonce).state"
        [IO.File]::WriteAllText($orphan, 'cut off')
        Set-Old (Get-StageFile '*.state')
        Save-Checkpoint s @at
        $orphan | Should -Not -Exist
        (Get-StageFile).Name | Should -Be (@($whole) + '0000000004.json' | Sort-Object)
    }

    It 'is nothing that somebody else put there: <_>' -ForEach 'notes.txt', 'x.tmp', '~backup.tmp', '~0123.tmp', '.hidden', '0000000001.json.bak', '1.state', '0000000009.state', '0000000009.xyz.state', 'copy of 0000000001.json' {
        Set-Content "$folder/$_" 'foreign'
        $null = New-Item -ItemType Directory "$folder/sub"
        Set-Content "$folder/sub/~$(New-Nonce).tmp" 'foreign'
        Set-Old (Get-ChildItem $folder -Recurse -File -Force)
        Save-Checkpoint s -Keep 1 @at
        "$folder/$_" | Should -FileContentMatchExactly 'foreign'
        Get-ChildItem "$folder/sub" -Force | Should -HaveCount 1
    }
}
