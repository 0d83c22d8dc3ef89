BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    # Starts a script in many children, lets all begin at the same moment, and emits what they left. While they run, so do the readers.
    function Invoke-Together([scriptblock[]] $Script, [scriptblock[]] $Reader = @()) {
        $barrier = New-TestFolder
        $lead = @'
        param($store, $barrier, $number)
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        $null = Save-Checkpoint warm -Store "$barrier/warm" -Pipeline default -Run '' -Overwrite -Step $number
        $null = New-Item "$barrier/ready-$number"
        while (-not (Test-Path "$barrier/go")) { Start-Sleep -Milliseconds 5 }

'@
        # Many short processes on few cores would spend most of their time compiling the same code for speed, each for itself: 28 s instead of 8 s for 16 on two cores.
        $environment = @{ DOTNET_TC_CallCounting = '0' }
        $number = 0
        $readers = @($Reader | ForEach-Object { Start-Pwsh "$lead`n while (-not (Test-Path `"`$barrier/end`")) {`n$_`n}" $store, $barrier, ($number++) -Environment $environment })
        $writers = @($Script | ForEach-Object { Start-Pwsh "$lead`n$_" $store, $barrier, ($number++) -Environment $environment })
        try {
            Wait-Until { (Get-ChildItem $barrier -Filter ready-*).Count -eq $number -or ($writers + $readers).Process.HasExited -contains $true }
            $null = New-Item "$barrier/go"
            $results = @($writers | ForEach-Object { Wait-Pwsh $_ })
        }
        finally {
            $null = New-Item "$barrier/end"
        }
        $readerResults = @($readers | ForEach-Object { Wait-Pwsh $_ })
        ($results + $readerResults).ErrorOutput | Where-Object { $_ } | Should -BeNullOrEmpty
        ($results + $readerResults).ExitCode | Sort-Object -Unique | Should -Be 0
        $readerResults.Output | Where-Object { $_ -ne 'read' } | Should -BeNullOrEmpty
        foreach ($result in $readerResults) {
            $result.Output | Should -Contain 'read' -Because 'every reader must have seen something'
        }
        $results
    }

    # The same in runspaces of this process.
    function Invoke-Runspace([int] $Count, [scriptblock] $Script) {
        $shells = @(1..$Count | ForEach-Object {
                $shell = [powershell]::Create()
                $null = $shell.AddScript("param(`$module, `$at, `$number) `$ErrorActionPreference = 'Stop'; Import-Module `$module`n$Script").AddArgument($ModulePath).AddArgument($at).AddArgument($_)
                $shell
            })
        try {
            $runs = @($shells | ForEach-Object { , @($_, $_.BeginInvoke()) })
            foreach ($run in $runs) {
                , @($run[0].EndInvoke($run[1]))
                $run[0].Streams.Error | Should -BeNullOrEmpty
                $run[0].Streams.Warning | Should -BeNullOrEmpty
            }
        }
        finally {
            $shells | ForEach-Object Dispose
        }
    }

    # What a reader may never see: an error, a warning, a value that is half one and half another.
    $reader = {
        try {
            $WarningPreference = 'Stop'
            $latest = Get-Checkpoint s @at -ErrorAction SilentlyContinue -ErrorVariable failure
            foreach ($e in $failure) { if ($e.FullyQualifiedErrorId -ne 'CheckpointNotFound,Checkpoint.Commands.GetCheckpointCommand') { "Get: $e" } }
            if ($latest) {
                if (-not (Test-Checkpoint s @at)) { 'Test said false though there is one' }
                $checkpoints = @($latest)
                if ((++$turn) % 10 -eq 1) { $checkpoints += Get-Checkpoint s -AllSteps @at | Select-Object -Last 2 }
                foreach ($checkpoint in $checkpoints) {
                    $state = $checkpoint | Restore-Checkpoint
                    if (@($state.data | Select-Object -Unique).Count -ne 1 -or $state.data[0] -ne $state.n % 251 -or $state.data.Length -ne $state.length) { "Restore: step $($checkpoint.Step) is torn" }
                }
                $state = Restore-Checkpoint s @at
                if ($state.data[0] -ne $state.n % 251 -or $state.data.Length -ne $state.length) { 'Restore: the latest is torn' }
                'read'
            }
        }
        catch {
            "$($_.FullyQualifiedErrorId): $_"
        }
    }
}

Describe 'Many at once' {
    BeforeEach {
        $store = New-TestStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
    }

    It '16 processes that save 40 steps of one stage each make 640 steps, none lost or doubled, while others read' {
        $writer = {
            foreach ($i in 1..40) {
                $n = 100 * $number + $i
                $data = [byte[]]::new(($i % 2 ? 10 : 20000))
                [array]::Fill($data, [byte] ($n % 251))
                "$((Save-Checkpoint s -State @{ n = $n; length = $data.Length; data = $data } -PassThru @at).Step) $n"
            }
        }
        $results = Invoke-Together (, $writer * 16) -Reader $reader
        $told = @{}
        foreach ($line in $results.Output) {
            $step, $n = [int[]] -split $line
            $told.ContainsKey($step) | Should -BeFalse -Because "step $step must be given once"
            $told[$step] = $n
        }
        $told.Count | Should -Be 640
        (Get-Checkpoint s -AllSteps @at).Step | Should -Be (640..1)
        $wrong = Get-Checkpoint s -AllSteps @at | Where-Object { ($_ | Restore-Checkpoint).n -ne $told[[int] $_.Step] }
        $wrong | Should -BeNullOrEmpty
        Get-StoreFile $store | Should -HaveCount (640 + 320)
    }

    It '8 runspaces of one process that save 40 steps each make 320 steps' {
        $steps = Invoke-Runspace 8 { 1..40 | ForEach-Object { (Save-Checkpoint s -State $number -PassThru @at).Step } }
        $steps | ForEach-Object { $_ } | Sort-Object | Should -Be (1..320)
        (Get-Checkpoint s -AllSteps @at).Step | Should -Be (320..1)
    }

    It 'runspaces and processes together, too' {
        $writer = { 1..30 | ForEach-Object { (Save-Checkpoint s -PassThru @at).Step } }
        $child = Start-Pwsh "param(`$store) `$at = @{ Store = `$store; Pipeline = 'default'; Run = '' }; $writer" $store
        $own = Invoke-Runspace 4 { 1..30 | ForEach-Object { (Save-Checkpoint s -PassThru @at).Step } }
        $other = [long[]] (Wait-Pwsh $child).Output
        @($own | ForEach-Object { $_ }) + $other | Sort-Object | Should -Be (1..150)
    }

    It 'of many that save the same step one succeeds, and the others are told' {
        $results = Invoke-Runspace 8 {
            foreach ($step in 1..20) {
                try {
                    Save-Checkpoint s -Step $step -State @{ by = $number; data = [byte[]]::new(20000) } @at
                    "$step $number"
                }
                catch {
                    if ($_.FullyQualifiedErrorId -ne 'CheckpointExists,Checkpoint.Commands.SaveCheckpointCommand') {
                        throw
                    }
                }
            }
        } | ForEach-Object { $_ }
        $results | Should -HaveCount 20
        foreach ($line in $results) {
            $step, $number = [int[]] -split $line
            (Restore-Checkpoint s -Step $step @at).by | Should -Be $number
        }
        # What the losers wrote is gone with them.
        Get-StoreFile $store | Should -HaveCount 40
    }

    It 'readers of a step that is overwritten get the old value or the new, whole' {
        $writer = {
            foreach ($n in 1..150) {
                $data = [byte[]]::new((10, 20000, 90000)[$n % 3])
                [array]::Fill($data, [byte] ($n % 251))
                Save-Checkpoint s -Step 1 -Overwrite -State @{ n = $n; length = $data.Length; data = $data } @at
            }
        }
        $null = Invoke-Together $writer, $writer -Reader $reader, $reader
        (Restore-Checkpoint s @at).n | Should -Be 150
        @(Get-StoreFile $store).Count | Should -BeIn 1, 2
    }

    It 'writers that prune one stage leave the newest, and readers see no error' {
        $writer = {
            foreach ($n in 1..60) {
                $data = [byte[]]::new(($n % 2 ? 10 : 20000))
                [array]::Fill($data, [byte] ($n % 251))
                Save-Checkpoint s -State @{ n = $n; length = $data.Length; data = $data } -Keep 3 @at
            }
        }
        # Only the latest: an older one may be pruned between the list and the restore.
        $latestReader = {
            try {
                $WarningPreference = 'Stop'
                $state = Restore-Checkpoint s @at
                if ($state.data[0] -ne $state.n % 251 -or $state.data.Length -ne $state.length) { 'torn' }
                if (-not (Test-Checkpoint s @at)) { 'Test said false though there is one' }
                $null = Get-Checkpoint s -AllSteps @at
                'read'
            }
            catch {
                if ($_.FullyQualifiedErrorId -notlike 'CheckpointNotFound*' -or $seen) { "$($_.FullyQualifiedErrorId): $_" }
                continue
            }
            $seen = $true
        }
        $null = Invoke-Together (, $writer * 3) -Reader $latestReader
        (Get-Checkpoint s -AllSteps @at).Step | Should -Be 180, 179, 178
        Save-Checkpoint s -Keep 3 @at
        (Get-Checkpoint s -AllSteps @at).Step | Should -Be 181, 180, 179
    }

    It 'a save succeeds and can be restored though another clears the stage again and again' {
        $saver = {
            foreach ($i in 1..80) {
                $data = [byte[]]::new(($i % 2 ? 10 : 20000))
                $null = Save-Checkpoint s -State @{ n = $i; data = $data } -PassThru @at
            }
        }
        $clearer = {
            foreach ($i in 1..150) {
                Clear-Checkpoint s @at
            }
        }
        $null = Invoke-Together $saver, $saver, $clearer
        Save-Checkpoint s -State 'last' @at
        Restore-Checkpoint s @at | Should -Be 'last'
        foreach ($checkpoint in Get-Checkpoint s -AllSteps -WarningAction Stop @at) {
            { $checkpoint | Restore-Checkpoint } | Should -Not -Throw
        }
        Clear-Checkpoint s @at
        Get-StoreFile $store | Should -BeNullOrEmpty
    }

    It 'many first saves into a store that is not there yet make it together' {
        $missing = @{ Store = $StoreKind -eq 'folder' ? "$store/a/b/c" : (New-TestStore -Missing); Pipeline = 'default'; Run = '7' }
        $at = $missing
        $null = Invoke-Runspace 8 { 1..5 | ForEach-Object { Save-Checkpoint "stage $number $_" -State $number @at } }
        Get-Checkpoint @missing | Should -HaveCount 40
    }

    It 'readers wait for no lock, and take none' -Tag Files {
        $flock = Get-Command flock -CommandType Application -ErrorAction Ignore | Select-Object -First 1
        if (-not $flock) {
            Set-ItResult -Skipped -Because 'there is no flock command to hold the lock with'
            return
        }
        Save-Checkpoint s -State 'value' @at
        $folder = "$store/default/stages/s"
        $holder = Start-Process $flock.Source -ArgumentList "`"$folder`"", 'sh', '-c', "`"touch '$store/held'; exec sleep 600`"" -PassThru
        try {
            Wait-Until { Test-Path $store/held }
            $clock = [Diagnostics.Stopwatch]::StartNew()
            Restore-Checkpoint s @at | Should -Be 'value'
            Test-Checkpoint s @at | Should -BeTrue
            (Get-Checkpoint s -AllSteps @at).Step | Should -Be 1
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 5
        }
        finally {
            $holder.Kill($true)
        }
    }

    It 'runspaces keep their contexts apart' {
        $names = Invoke-Runspace 4 {
            Set-CheckpointContext -Pipeline "p$number" -Store $at.Store -Run ''
            1..5 | ForEach-Object { $null = Save-Checkpoint "s$number" }
            (Get-Checkpoint).Name
        }
        $names | ForEach-Object { $_ } | Sort-Object | Should -Be 's1', 's2', 's3', 's4'
    }
}
