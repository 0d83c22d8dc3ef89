BeforeDiscovery {
    # On Linux a user can have file systems of their own, where the machine allows it.
    $canMount = $IsLinux -and (Get-Command unshare -CommandType Application -ErrorAction Ignore) -and
    $(unshare --user --map-root-user --mount sh -c 'mount -t tmpfs tmpfs /mnt' 2>$null; $LASTEXITCODE -eq 0)
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    # A pipeline of three stages whose second one fails as long as there is a file.
    function Invoke-Nightly([string] $Pipeline = 'nightly', [hashtable] $With = @{}) {
        Invoke-CheckpointPipeline $Pipeline -ErrorAction SilentlyContinue @With {
            stage fetch { 1..3 }
            stage clean { if (Test-Path "$env:TEST_PLACE/broken") { throw 'no space' } } -DependsOn fetch
            stage publish { 'done' } -DependsOn clean
        }
    }

    # Changes a byte in the middle of a run's record.
    function Edit-RunByte([Checkpoint.CheckpointRun] $Run) {
        $path = Get-RunPath $Run
        $bytes = Get-RecordByte $path
        $bytes[200] = $bytes[200] -bxor 1
        Set-Record $path $bytes
    }

    function Get-RunPath([Checkpoint.CheckpointRun] $Run) {
        $StoreKind -eq 'folder' ? "$store/$($Run.Pipeline)/runs/$($Run.Run)/run.json" : "$store#run/$($Run.Pipeline)/$($Run.Run)/0"
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Get-CheckpointRun' {
    BeforeEach {
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store -Pipeline nightly
    }

    Context 'What it tells' {
        It 'tells of a run its status, times, attempts, stages, last error, host and user' {
            Set-Content "$env:TEST_PLACE/broken" ''
            $before = [DateTimeOffset]::UtcNow
            $null = Invoke-Nightly
            $run = Get-CheckpointRun
            $run | Should -BeOfType ([Checkpoint.CheckpointRun])
            $run.Pipeline | Should -Be 'nightly'
            $run.Status | Should -Be 'Failed'
            $run.StartedAt | Should -BeGreaterOrEqual $before
            $run.StartedAt.Offset | Should -Be ([timespan]::Zero)
            $run.EndedAt | Should -BeGreaterOrEqual $run.StartedAt
            $run.Duration | Should -Be ($run.EndedAt - $run.StartedAt)
            $run.Attempts | Should -Be 1
            $run.LastError | Should -Be 'no space'
            $run.Stages | ForEach-Object { "$_" } | Should -Be 'fetch: Completed', 'clean: Failed', 'publish: NotRun'
            $run.Stages[1].Error | Should -Be 'no space'
            $run.Stages[0].Duration | Should -BeGreaterThan ([timespan]::Zero)
            $run.Host | Should -Be ([Environment]::MachineName)
            $run.User | Should -Be ([Environment]::UserName)
            $run.ProcessId | Should -Be $PID
            $run.Store | Should -Be $store
        }

        It 'counts a resume as another attempt of the same run' {
            Set-Content "$env:TEST_PLACE/broken" ''
            $null = Invoke-Nightly
            Remove-Item "$env:TEST_PLACE/broken"
            $null = Invoke-Nightly
            $run = Get-CheckpointRun
            @($run) | Should -HaveCount 1
            $run.Attempts | Should -Be 2
            $run.Status | Should -Be 'Completed'
            $run.LastError | Should -BeNullOrEmpty
            $run.Stages | ForEach-Object { "$_" } | Should -Be 'fetch: Completed', 'clean: Completed', 'publish: Completed'
        }

        It 'lists the newest run first' {
            $ids = 1..3 | ForEach-Object { (Invoke-Nightly).Run; Start-Sleep -Milliseconds 2 }
            (Get-CheckpointRun).Run | Should -Be $ids[2], $ids[1], $ids[0]
        }

        It 'tells that a run is running, and that it was interrupted once its process is dead' {
            $child = Start-Pwsh {
                param($Store)
                Invoke-CheckpointPipeline nightly -Store $Store { stage wait { Start-Sleep 600 } }
            } $store
            try {
                Wait-Until { Get-CheckpointRun | Where-Object Status -EQ Running }
                (Get-CheckpointRun).ProcessId | Should -Be $child.Process.Id
                (Get-CheckpointRun).EndedAt | Should -BeNullOrEmpty
                (Get-CheckpointRun).Duration | Should -BeNullOrEmpty
            }
            finally {
                $null = Stop-Pwsh $child
                Complete-Lease $store -Pipeline nightly -Run (Get-CheckpointRun).Run
            }
            (Get-CheckpointRun).Status | Should -Be 'Interrupted'
            (Get-CheckpointRun).LastError | Should -Match 'process ended'
        }
    }

    It 'tells them too where the store may not be written, also of a run whose process died' -Tag Files -Skip:(-not $canMount) {
        $child = Start-Pwsh { param($Store) Invoke-CheckpointPipeline nightly -Run dead -Store $Store { stage a { $null = New-Item "$env:TEST_PLACE/signal"; Start-Sleep 600 } } } $store
        Wait-Until { Test-Path "$env:TEST_PLACE/signal" }
        $null = Stop-Pwsh $child
        $script = @'
        param($Module, $Store)
        Import-Module $Module
        mount --bind -o ro $Store $Store
        mount -o remount,ro,bind $Store
        Get-CheckpointRun -Store $Store -Pipeline nightly | ForEach-Object { "$($_.Run) $($_.Status)" }
'@
        Set-Content "$TestDrive/runs.ps1" $script
        $program = @(Get-PwshCommand)
        unshare --user --map-root-user --mount $program[0] @($program | Select-Object -Skip 1) -NoProfile -File "$TestDrive/runs.ps1" $ModulePath $store | Should -Be 'dead Interrupted'
    }

    It 'refuses a store that is a file' -Tag Files {
        Set-Content "$store/file" 'no store'
        { Get-CheckpointRun -Store "$store/file" } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.GetCheckpointRunCommand'
    }

    Context 'Which runs' {
        BeforeEach {
            $null = 'r1', 'r2', 'a*' | ForEach-Object { Invoke-Nightly -With @{ Run = $_ } }
            $null = Invoke-Nightly 'weekly' @{ Run = 'w1' }
        }

        It 'takes an id, whatever its case' { (Get-CheckpointRun R1).Run | Should -Be 'r1' }

        It 'takes wildcards' {
            (Get-CheckpointRun r*).Run | Sort-Object | Should -Be 'r1', 'r2'
            Get-CheckpointRun x* | Should -BeNullOrEmpty
        }

        It 'takes an id that looks like a wildcard for that run alone' { (Get-CheckpointRun 'a*').Run | Should -Be 'a*' }

        It 'lists those of one pipeline, or of many' {
            (Get-CheckpointRun -Pipeline weekly).Run | Should -Be 'w1'
            Get-CheckpointRun -Pipeline * | Should -HaveCount 4
            Get-CheckpointRun -Pipeline none | Should -BeNullOrEmpty
        }

        It 'is that of the context where the context names one, and no error before that is started' {
            Set-CheckpointContext -Store $store -Pipeline nightly -Run r2
            (Get-CheckpointRun).Run | Should -Be 'r2'
            Set-CheckpointContext -Store $store -Pipeline nightly -Run r9
            Get-CheckpointRun -ErrorAction Stop | Should -BeNullOrEmpty
        }

        It 'says RunNotFound of an id that is not there, and goes on' {
            $found = 'none', 'r1' | ForEach-Object { [pscustomobject]@{ Run = $_ } } | Get-CheckpointRun -ErrorVariable failure -ErrorAction SilentlyContinue
            $found.Run | Should -Be 'r1'
            $failure[0].FullyQualifiedErrorId | Should -BeExactly 'RunNotFound,Checkpoint.Commands.GetCheckpointRunCommand'
            $failure[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
            $failure[0].TargetObject | Should -Be 'none'
            "$failure" | Should -BeLike "*'none'*'nightly'*$store*"
        }

        It 'knows nothing of runs of which there are checkpoints alone' {
            Save-Checkpoint a -Run plain
            (Get-CheckpointRun).Run | Should -Not -Contain 'plain'
        }

        It 'completes ids, also of a run of which no stage is complete' {
            Set-Content "$env:TEST_PLACE/broken" ''
            $null = Invoke-CheckpointPipeline nightly -Run r3 -ErrorAction SilentlyContinue { stage a { throw 'x' } }
            (TabExpansion2 'Get-CheckpointRun r' 19).CompletionMatches.CompletionText | Should -Be 'r1', 'r2', 'r3'
            (TabExpansion2 'Get-CheckpointRun -Pipeline w' 29).CompletionMatches.CompletionText | Should -Be 'weekly'
        }
    }

    Context 'Damage' {
        It 'is a warning beside other runs, and an error of the run that was named' {
            $first = Invoke-Nightly -With @{ Run = 'r1' }
            $null = Invoke-Nightly -With @{ Run = 'r2' }
            Edit-RunByte (Get-CheckpointRun r1)
            (Get-CheckpointRun -WarningVariable warned -WarningAction SilentlyContinue).Run | Should -Be 'r2'
            "$warned" | Should -BeLike "*'r1' is damaged*"
            { Get-CheckpointRun r1 -ErrorAction Stop } | Should -Throw -ErrorId 'CheckpointDamaged,Checkpoint.Commands.GetCheckpointRunCommand'
            $first.Status | Should -Be 'Completed'
        }

        It 'is not what a newer version wrote: that is an error of its own' {
            $null = Invoke-Nightly -With @{ Run = 'r1' }
            Edit-Record (Get-RunPath (Get-CheckpointRun)) { $_ -replace '"format": 1', '"format": 2' }
            { Get-CheckpointRun -ErrorAction Stop } | Should -Throw -ErrorId 'FormatTooNew,Checkpoint.Commands.GetCheckpointRunCommand'
        }
    }

    Context 'Down the pipeline' {
        It 'gives the checkpoints of its stages to Get-Checkpoint, from any store' {
            $null = Invoke-Nightly
            Save-Checkpoint other
            Set-CheckpointContext -Reset
            (Get-CheckpointRun -Store $store -Pipeline nightly | Get-Checkpoint).Name | Should -Be 'clean', 'fetch', 'publish'
        }

        It 'lets Clear-Checkpoint clear one run and leave the others' {
            $null = 'r1', 'r2' | ForEach-Object { Invoke-Nightly -With @{ Run = $_ } }
            Get-CheckpointRun r1 | Clear-Checkpoint
            (Get-Checkpoint -Run *).Run | Select-Object -Unique | Should -Be 'r2'
        }

        It 'gives its events to Get-CheckpointHistory' {
            $null = 'r1', 'r2' | ForEach-Object { Invoke-Nightly -With @{ Run = $_ } }
            $events = Get-CheckpointRun r2 | Get-CheckpointHistory
            $events.Run | Select-Object -Unique | Should -Be 'r2'
            $events[-1].Event | Should -Be 'RunCompleted'
        }
    }

    Context 'How it is shown' {
        BeforeEach {
            $rendering = $PSStyle.OutputRendering
            $PSStyle.OutputRendering = 'PlainText'
            Set-Content "$env:TEST_PLACE/broken" ''
            $result = Invoke-Nightly -With @{ Run = 'r1' }
        }

        AfterEach { $PSStyle.OutputRendering = $rendering }

        It 'is a table with local time, duration and what is done' {
            $lines = (Get-CheckpointRun | Out-String -Width 150) -split '\r?\n' | Where-Object { $_ }
            $lines[0].Trim() -split ' +' | Should -Be 'Run', 'Pipeline', 'Status', 'Stages', 'StartedAt', 'Duration', 'LastError'
            $started = (Get-CheckpointRun).StartedAt.ToLocalTime().ToString('yyyy-MM-dd HH:mm:ss', [cultureinfo]::InvariantCulture)
            $lines[2] | Should -Match "^r1 +nightly +Failed +1/3 $started +\d\.\d\ds no space"
        }

        It 'tells in 80 columns which run, its status and how much is done, however long the names are' {
            $null = Invoke-CheckpointPipeline ('long ' * 30).Trim() -Run ('20260301-040506-' * 10) { stage a { 1 } }
            $shown = Get-CheckpointRun -Pipeline * | Out-String -Width 80
            $shown | Should -Match '(?m)^20260301-0…301-040506- +long long.*… +Completed +1/1'
            $shown = Get-CheckpointRun -Pipeline nightly | Out-String -Width 80
            ($shown -split '\r?\n' | Where-Object { $_ })[0].Trim() -split ' +' | Should -Be 'Run', 'Pipeline', 'Status', 'Stages', 'StartedAt', 'Duration', 'LastError'
            $shown -split '\r?\n' | ForEach-Object Length | Measure-Object -Maximum | ForEach-Object Maximum | Should -BeLessOrEqual 80
        }

        It 'is a list with a line for each stage, as the result of a pipeline is' {
            foreach ($shown in (Get-CheckpointRun | Format-List | Out-String -Width 150), ($result | Out-String -Width 150)) {
                $shown | Should -Match 'Stages +: fetch    Completed +\d\.\d\ds'
                $shown | Should -Match '(?m)^ +clean    Failed +\d\.\d\ds  no space'
                $shown | Should -Match "(?m)^ +publish  NotRun +0\.00s  the run stopped when 'clean' failed"
            }
        }

        It 'shows the rows of a result as a table' {
            $lines = ($result.Stages | Out-String -Width 120) -split '\r?\n' | Where-Object { $_ }
            $lines[0].Trim() -split ' +' | Should -Be 'Name', 'Status', 'Attempts', 'Duration', 'Reason'
            $lines[3] | Should -Match '^clean +Failed +1 +\d\.\d\ds no space'
        }

        It 'has the colours of $PSStyle' {
            $PSStyle.OutputRendering = 'Ansi'
            $red = [regex]::Escape("$($PSStyle.Foreground.Red)Failed")
            Get-CheckpointRun | Out-String | Should -Match $red
            Get-CheckpointRun | Format-List | Out-String | Should -Match $red
            $result | Out-String | Should -Match $red
            $result.Stages | Out-String | Should -Match ([regex]::Escape("$($PSStyle.Foreground.Green)Completed"))
        }

        It 'makes a duration of <Span> into <Shown>' -ForEach @(
            @{ Span = '00:00:00.3514'; Shown = '0.35s' }
            @{ Span = '00:00:12.34'; Shown = '12.3s' }
            @{ Span = '00:05:10'; Shown = '5m 10s' }
            @{ Span = '03:05:00'; Shown = '3h 05m' }
            @{ Span = '8.01:30:00'; Shown = '8d 01h' }
        ) {
            [Checkpoint.Humanize]::Duration($Span) | Should -Be $Shown
            [Checkpoint.Humanize]::Duration($null) | Should -Be '-'
        }
    }
}
