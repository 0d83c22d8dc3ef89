BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    function Get-Line([Parameter(ValueFromPipeline)] [object] $Entry) { process { "$($Entry.Event) $($Entry.Name) $($Entry.Step)".Trim() } }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Get-CheckpointHistory' {
    BeforeEach {
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store -Pipeline default
    }

    Context 'What it tells' {
        It 'tells of saves, prunes, restores and clears, oldest first' {
            1..3 | ForEach-Object { Save-Checkpoint a $_ -Keep 2 }
            $null = Restore-Checkpoint a
            Clear-Checkpoint a -Step 2
            Clear-Checkpoint a
            Get-CheckpointHistory | Get-Line | Should -Be 'Saved a 1', 'Saved a 2', 'Saved a 3', 'Pruned a 1', 'Restored a 3', 'Cleared a 2', 'Cleared a'
            (Get-CheckpointHistory -Event Cleared)[-1].Reason | Should -Be 'all steps'
        }

        It 'tells of each event its time, pipeline, run, host, user and process' {
            $before = [DateTimeOffset]::UtcNow
            Save-Checkpoint a -Run 7
            $entry = Get-CheckpointHistory
            $entry | Should -BeOfType ([Checkpoint.CheckpointEvent])
            $entry.Time | Should -BeGreaterOrEqual $before
            $entry.Time.Offset | Should -Be ([timespan]::Zero)
            $entry.Pipeline, $entry.Run, $entry.Host, $entry.User, $entry.ProcessId, $entry.Store |
                Should -Be 'default', '7', ([Environment]::MachineName), ([Environment]::UserName), $PID, $store
        }

        It 'tells of runs and stages: lease taken, started, retried, failed, skipped with the reason, completed' {
            Set-Content "$env:TEST_PLACE/broken" ''
            $run = {
                Invoke-CheckpointPipeline nightly -Run r1 -ErrorAction SilentlyContinue -WarningAction SilentlyContinue {
                    stage a { 1 }
                    stage b { if (Test-Path "$env:TEST_PLACE/broken") { throw 'no space' } } -Retry 1 -RetryDelay 0.01s -DependsOn a
                }
            }
            $null = & $run
            Get-CheckpointHistory -Pipeline nightly | Get-Line |
                Should -Be 'LeaseTaken', 'RunStarted', 'StageStarted a', 'Saved a 1', 'StageCompleted a 1', 'StageStarted b', 'StageRetried b', 'StageFailed b', 'RunFailed'
            (Get-CheckpointHistory -Pipeline nightly -Event StageRetried).Reason | Should -Be 'attempt 1 failed: no space'
            (Get-CheckpointHistory -Pipeline nightly -Event RunFailed).Reason | Should -Be 'no space'
            Remove-Item "$env:TEST_PLACE/broken"
            $null = & $run
            $skipped = Get-CheckpointHistory -Pipeline nightly -Event StageSkipped
            $skipped.Name | Should -Be 'a'
            $skipped.Reason | Should -Match '^it completed at '
            (Get-CheckpointHistory -Pipeline nightly)[-1].Event | Should -Be 'RunCompleted'
        }

        It 'tells of stages that were not run, with the reason' {
            $null = Invoke-CheckpointPipeline nightly -Run r1 -ErrorAction SilentlyContinue { stage a { throw 'no' }; stage b { 2 } -DependsOn a; stage c { 3 } -Disabled }
            Get-CheckpointHistory -Pipeline nightly -Event StageSkipped | ForEach-Object { "$($_.Name): $($_.Reason)" } | Should -Be "b: the run stopped when 'a' failed", 'c: it is disabled'
        }

        It 'tells of a stage whose result cannot be saved that it failed' {
            { Invoke-CheckpointStage a { [securestring]::new() } } | Should -Throw
            Get-CheckpointHistory | ForEach-Object Event | Should -Be 'StageStarted', 'StageFailed'
            (Get-CheckpointHistory)[-1].Reason | Should -BeLike "*'a'*SecureString*"
        }

        It 'tells of items: lease taken, started, failed with the item that ended it, what a clear took away' {
            { 1..3 | Invoke-CheckpointItem patch { if ($_ -eq 2) { throw 'no host' } } } | Should -Throw 'no host'
            { 4, @{} | Invoke-CheckpointItem other { $_ } } | Should -Throw '*no key*'
            Get-CheckpointHistory | Get-Line | Should -Be 'LeaseTaken patch', 'StageStarted patch', 'StageFailed patch', 'LeaseTaken other', 'StageStarted other', 'StageFailed other'
            (Get-CheckpointHistory patch -Event StageFailed).Reason | Should -BeLike "*'2': no host*"
            (Get-CheckpointHistory other -Event StageFailed).Reason | Should -BeLike '*no key*'
            Clear-Checkpoint patch
            (Get-CheckpointHistory)[-1] | Get-Line | Should -Be 'Cleared patch'
            (Get-CheckpointHistory)[-1].Reason | Should -Be 'what a cut-off save or items left'
        }

        It 'tells of a lease that was lost, to whom; the run stops with LeaseLost and the other goes on' -Tag Files -Skip:$IsWindows {
            $other = {
                param($Store)
                Invoke-CheckpointPipeline nightly -Run r1 -Store $Store { stage a { $null = New-Item "$env:TEST_PLACE/signal"; while (-not (Test-Path "$env:TEST_PLACE/go")) { Start-Sleep -Milliseconds 20 } }; stage b { 2 } }
            }
            $children = [Collections.Generic.List[object]]::new()
            try {
                $failure = {
                    Invoke-CheckpointPipeline nightly -Run r1 {
                        stage a {
                            Remove-Item "$store/nightly/runs/r1/run.lock"
                            $children.Add((Start-Pwsh $other $store))
                            Wait-Until { Test-Path "$env:TEST_PLACE/signal" }
                        }
                        stage b { throw 'not to be reached' }
                    }
                } | Should -Throw -ErrorId 'LeaseLost,Checkpoint.Commands.InvokeCheckpointPipelineCommand' -PassThru
                $child = $children[0]
                "$failure" | Should -BeLike "*run 'r1' of pipeline 'nightly'*$store*process $($child.Process.Id) of *"
                $failure.CategoryInfo.Category | Should -Be 'ResourceBusy'
                (Get-CheckpointRun r1 -Pipeline nightly).ProcessId | Should -Be $child.Process.Id
                (Get-CheckpointRun r1 -Pipeline nightly).Status | Should -Be 'Running'
                $lost = Get-CheckpointHistory -Pipeline nightly -Event LeaseLost
                $lost.ProcessId | Should -Be $PID
                $lost.Reason | Should -BeLike "*process $($child.Process.Id) of *"
                $null = New-Item "$env:TEST_PLACE/go"
                (Wait-Pwsh $child).ErrorOutput | Should -BeNullOrEmpty
                (Get-CheckpointRun r1 -Pipeline nightly).Status | Should -Be 'Completed'
            }
            finally {
                $children.Where({ -not $_.Process.HasExited }).ForEach({ $null = Stop-Pwsh $_ })
            }
        }

        It 'is that of the whole pipeline, with its runs, where nothing says which run' {
            Save-Checkpoint a
            Save-Checkpoint a -Run 7
            Save-Checkpoint a -Pipeline other
            Get-CheckpointHistory | Should -HaveCount 2
        }

        It 'has nothing to tell of what was never there, and makes nothing' {
            $missing = New-TestStore -Missing
            Get-CheckpointHistory -Store $missing -ErrorAction Stop | Should -BeNullOrEmpty
            $missing | Should -Not -Exist
        }
    }

    It 'refuses a store that is a file' -Tag Files {
        Set-Content "$store/file" 'no store'
        { Get-CheckpointHistory -Store "$store/file" } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.GetCheckpointHistoryCommand'
    }

    It 'outlives Clear-Checkpoint' {
        Save-Checkpoint a
        Save-Checkpoint b -Run 7
        Clear-Checkpoint
        Clear-Checkpoint -Run 7
        Get-CheckpointHistory | Get-Line | Should -Be 'Saved a 1', 'Saved b 1', 'Cleared a', 'Cleared b'
        Save-Checkpoint a
        (Get-CheckpointHistory)[-1] | Get-Line | Should -Be 'Saved a 1'
    }

    Context 'Which events' {
        BeforeEach {
            'fetch', 'filter', 'a*' | ForEach-Object { Save-Checkpoint $_ }
            Save-Checkpoint fetch -Run r1
            Save-Checkpoint fetch -Run r2
            $null = Restore-Checkpoint fetch
        }

        It 'takes names, whatever their case, and wildcards' {
            Get-CheckpointHistory FETCH | Should -HaveCount 4
            Get-CheckpointHistory f* | Should -HaveCount 5
            Get-CheckpointHistory filter, a* | Should -HaveCount 2
            (Get-CheckpointHistory 'a*').Name | Should -Be 'a*'
            Get-CheckpointHistory nothing | Should -BeNullOrEmpty
        }

        It 'takes a run, wildcards, and none' {
            (Get-CheckpointHistory -Run r1).Run | Should -Be 'r1'
            Get-CheckpointHistory -Run r* | Should -HaveCount 2
            Get-CheckpointHistory -Run '' | Should -HaveCount 4
            Set-CheckpointContext -Store $store -Pipeline default -Run r2
            (Get-CheckpointHistory).Run | Should -Be 'r2'
        }

        It 'takes events, whatever their case, and wildcards' {
            Get-CheckpointHistory -Event restored | Should -HaveCount 1
            Get-CheckpointHistory -Event Rest*, Saved | Should -HaveCount 6
            Get-CheckpointHistory -Event Stage* | Should -BeNullOrEmpty
        }

        It 'says which events there are where one is misspelt' {
            $failure = { Get-CheckpointHistory -Event Save } | Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.GetCheckpointHistoryCommand' -PassThru
            "$failure" | Should -BeLike "*'Save'*Saved*StageRetried*"
            { Get-CheckpointHistory -Event 'Sa[' } | Should -Throw "*'Sa``['*" -ErrorId 'InvalidArgument,Checkpoint.Commands.GetCheckpointHistoryCommand'
        }

        It 'takes a time, or how long ago it was' {
            $all = Get-CheckpointHistory
            $middle = $all[2].Time
            Get-CheckpointHistory -Since $middle | Should -HaveCount ($all.Count - 2)
            Get-CheckpointHistory -Since $middle.LocalDateTime | Should -HaveCount ($all.Count - 2)
            Get-CheckpointHistory -Since $middle.ToString('o') | Should -HaveCount ($all.Count - 2)
            Get-CheckpointHistory -Since 2h | Should -HaveCount $all.Count
            Get-CheckpointHistory -Since 7d | Should -HaveCount $all.Count
            Get-CheckpointHistory -Since ([timespan] '01:00') | Should -HaveCount $all.Count
            Get-CheckpointHistory -Since (Get-Date).AddMinutes(5) | Should -BeNullOrEmpty
            Get-CheckpointHistory -Since 2020-01-01 | Should -HaveCount $all.Count
        }

        It 'refuses <_> as a time' -ForEach '5', 'soon', '-2h', '', '9999999d' {
            { Get-CheckpointHistory -Since $_ } | Should -Throw -ErrorId 'ParameterArgumentTransformationError,*'
        }

        It 'takes the stage and run of piped checkpoints, and those alone' {
            Get-Checkpoint fetch -Run r1 | Get-CheckpointHistory | Get-Line | Should -Be 'Saved fetch 1'
            Get-Checkpoint 'a*' | Get-CheckpointHistory | Get-Line | Should -Be 'Saved a* 1'
        }

        It 'gives its events to Get-Checkpoint' {
            Get-CheckpointHistory filter | Get-Checkpoint | ForEach-Object { "$_" } | Should -Be 'filter step 1'
        }

        It 'completes events, names that are cleared too, and runs' {
            function Get-Offer([string] $Line) { (TabExpansion2 $Line $Line.Length).CompletionMatches.CompletionText }
            Clear-Checkpoint filter
            Get-Offer 'Get-CheckpointHistory -Event Run' | Should -Be 'RunStarted', 'RunCompleted', 'RunFailed', 'RunInterrupted'
            Get-Offer 'Get-CheckpointHistory f' | Should -Be 'fetch', 'filter'
            Get-Offer 'Get-CheckpointHistory -Run r' | Should -Be 'r1', 'r2'
            Clear-Checkpoint -Run r1
            Save-Checkpoint a -Pipeline gone
            Clear-Checkpoint -Pipeline gone
            Get-Offer 'Get-CheckpointHistory -Run r' | Should -Be 'r2', 'r1'
            Get-Offer 'Get-CheckpointHistory -Pipeline g' | Should -Be 'gone'
            Get-Offer 'Get-Checkpoint -Pipeline g' | Should -BeNullOrEmpty
        }
    }

    Context 'What is no whole line' {
        It 'passes over what a crash left of the last line, and the next event begins its own' -Tag Files {
            Save-Checkpoint a
            [IO.File]::AppendAllText("$store/default/history.jsonl", '{"time":"2026-')
            Get-CheckpointHistory | Get-Line | Should -Be 'Saved a 1'
            Save-Checkpoint b
            Get-CheckpointHistory | Get-Line | Should -Be 'Saved a 1', 'Saved b 1'
        }

        It 'tells of an event that a newer version wrote' -Tag Files {
            Save-Checkpoint a
            [IO.File]::AppendAllText("$store/default/history.jsonl", '{"time":"2026-01-01T00:00:00Z","event":"Sealed","pipeline":"default","name":"a","by":{"x":[1]}}' + "`n")
            Get-CheckpointHistory -Event Sea* | Get-Line | Should -Be 'Sealed a'
        }
    }

    Context 'Beside others' {
        It 'has every line of eight processes that write at once' {
            $children = 1..8 | ForEach-Object {
                Start-Pwsh { param($Store, $Id) 1..50 | ForEach-Object { Save-Checkpoint "s$Id" $_ -Store $Store -Pipeline default -Run '' -Keep 3 } } $store, "$_"
            }
            foreach ($left in $children | ForEach-Object { Wait-Pwsh $_ }) {
                $left.ErrorOutput | Should -BeNullOrEmpty
                $left.ExitCode | Should -Be 0
            }
            Get-CheckpointHistory -Event Saved | Should -HaveCount 400
            Get-CheckpointHistory -Event Saved | Group-Object Name | ForEach-Object { $_.Group.Step | Should -Be (1..50) }
        }

        It 'lets a save stand, with a warning, where it cannot be written: locked by a process that is stopped' -Tag Files -Skip:(-not $IsLinux) {
            Save-Checkpoint a
            $child = Start-Pwsh -NoModule {
                param($Path)
                flock -x $Path sh -c 'touch "$0.held"; kill -STOP $$' $Path
            } "$store/default/history.jsonl"
            try {
                Wait-Until { Test-Path "$store/default/history.jsonl.held" }
                Save-Checkpoint b -WarningVariable warned -WarningAction SilentlyContinue
                "$warned" | Should -BeLike "*history of pipeline 'default'*locked*"
                Test-Checkpoint b | Should -BeTrue
            }
            finally {
                $null = Stop-Pwsh $child
            }
            Save-Checkpoint c -WarningAction Stop
            Get-CheckpointHistory | Get-Line | Should -Be 'Saved a 1', 'Saved c 1'
        }

        It 'does not hinder a restore, nor warn, where the store may not be written' -Tag Files -Skip:$IsWindows {
            Save-Checkpoint a 'kept'
            if ([Environment]::UserName -eq 'root') {
                # Root may write whatever the modes say, but not what is a folder.
                Move-Item "$store/default/history.jsonl" "$store/kept.jsonl"
                $before = Get-StoreFile $store
                $script = @'
                param($Module, $Store)
                Import-Module $Module
                mount --bind -o ro $Store $Store
                mount -o remount,ro,bind $Store
                Restore-Checkpoint a -Store $Store -Pipeline default -Run '' -WarningVariable warned
                "warned: $warned"
'@
                Set-Content "$TestDrive/restore.ps1" $script
                $program = @(Get-PwshCommand)
                $output = unshare --user --map-root-user --mount $program[0] @($program | Select-Object -Skip 1) -NoProfile -File "$TestDrive/restore.ps1" $ModulePath $store
                $output | Should -Be 'kept', 'warned: '
                Get-StoreFile $store | Should -Be $before
                return
            }
            [IO.File]::SetUnixFileMode("$store/default/history.jsonl", 'UserRead')
            Restore-Checkpoint a -WarningAction Stop | Should -Be 'kept'
        }
    }

    Context 'How it is shown' {
        BeforeEach {
            $rendering = $PSStyle.OutputRendering
            $PSStyle.OutputRendering = 'PlainText'
        }

        AfterEach { $PSStyle.OutputRendering = $rendering }

        It 'is a table with local times' {
            Save-Checkpoint a -Step 12 -Run r1
            $lines = (Get-CheckpointHistory | Out-String -Width 120) -split '\r?\n' | Where-Object { $_ }
            $lines[0].Trim() -split ' +' | Should -Be 'Time', 'Event', 'Name', 'Step', 'Run', 'Reason'
            $time = (Get-CheckpointHistory).Time.ToLocalTime().ToString('yyyy-MM-dd HH:mm:ss', [cultureinfo]::InvariantCulture)
            $lines[2].TrimEnd() | Should -Match "^$time +Saved +a +12 +r1$"
        }

        It 'is a list that tells everything' {
            Save-Checkpoint a
            $labels = [regex]::Matches((Get-CheckpointHistory | Format-List | Out-String), '(?m)^(\w+) *:').ForEach({ $_.Groups[1].Value })
            $labels | Should -Be 'Time', 'Event', 'Name', 'Step', 'Pipeline', 'Run', 'Reason', 'Host', 'User', 'ProcessId', 'Store'
        }
    }
}
