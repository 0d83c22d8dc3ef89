BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    function Get-Row([Parameter(ValueFromPipeline)] [Checkpoint.PipelineResult] $Result) { process { $Result.Stages | ForEach-Object { "$_" } } }

    # Runs a pipeline whose failure is part of the test.
    function Invoke-Quietly([scriptblock] $Stages, [hashtable] $With = @{}) {
        Invoke-CheckpointPipeline nightly $Stages -ErrorAction SilentlyContinue -WarningAction SilentlyContinue @With
    }

    # What a call with -WhatIf says.
    function Get-Plan([scriptblock] $Stages, [string] $Store = $store) {
        $child = Invoke-Pwsh { param($Store, $Stages) Invoke-CheckpointPipeline nightly ([scriptblock]::Create($Stages)) -Store $Store -WhatIf } $Store, "$Stages"
        $child.ErrorOutput | Should -BeNullOrEmpty
        $child.Output -match 'What if'
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Invoke-CheckpointPipeline' {
    BeforeEach {
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store
        $ran = [Collections.Generic.List[string]]::new()
        $broken = [Collections.Generic.List[string]]::new()
        $work = { $ran.Add($_.Name); if ($_.Name -in $broken) { throw "$($_.Name) broke" }; "of $($_.Name)" }
        $chain = { stage a $work; stage b $work -DependsOn a; stage c $work -DependsOn b }
    }

    Context 'What a block sees' {
        It 'is $_, also its first argument: configuration, run, attempt and the output of the stages before it' {
            $result = Invoke-CheckpointPipeline nightly -Config @{ Url = 'u' } {
                stage ingest { 1, 2; $ran.Add("$($_.Config.Url) $($_.Pipeline)/$($_.Run) $($_.Name) $($_.Attempt)") }
                stage clean { param($Stage) $Stage.Output['ingest'] | ForEach-Object { $_ * 2 } } -DependsOn ingest
                stage one { 'x' }
                stage publish { "$($_.Output['CLEAN']) $($_.Output['one'].GetType().Name) $($_.Output.Names)" } -DependsOn clean, one
            }
            $ran | Should -Be "u nightly/$($result.Run) ingest 1"
            Restore-Checkpoint publish -Pipeline nightly -Run $result.Run | Should -Be '2 4 String clean one'
        }

        It 'has no output of a stage that it does not depend on' {
            $result = Invoke-Quietly { stage a { 1 }; stage b { $_.Output['a'] } }
            $result.Stages[1].Error | Should -BeLike "*'b' does not depend on 'a'*-DependsOn*"
        }

        It 'has the output by the name of its stage as a property too, where a slip is no $null to work on with' {
            $result = Invoke-Quietly {
                stage Ingest { 1, 2 }
                stage Names { 'x' }
                stage b { $ran.Add("$($_.Output.ingest) $($_.Output.'INGEST'.Count) $($_.Output.Names)") } -DependsOn Ingest, Names
                stage c { $ran.Add("got $($_.Output.ingst)") } -DependsOn Ingest
            }
            $ran[0] | Should -BeExactly '1 2 2 Ingest Names'
            $result.Stages | ForEach-Object Status | Should -Be Completed, Completed, Completed, Failed
            $result.Stages[3].Error | Should -BeLike "*'c' does not depend on 'ingst'*-DependsOn*"
        }

        It 'fails, rather than work on with nothing, where an output cannot be read' {
            $result = Invoke-Quietly {
                stage a { 1 }
                stage b { Set-Record (Get-Checkpoint a -Pipeline nightly -Run $_.Run).Location 'damaged'; $ran.Add("got $($_.Output['a'])"); [int]::Parse('x') } -DependsOn a
            }
            $result.Stages[1].Status | Should -Be 'Failed'
            $result.Stages[1].Error | Should -BeLike '*a*damaged*'
        }

        It 'is given the output as it was saved, by another process too' {
            $script = {
                param($Store, $Fail)
                $null = Invoke-CheckpointPipeline nightly -Store $Store -ErrorAction SilentlyContinue {
                    stage a { [ordered]@{ n = 5L; when = [datetime]::new(2026, 1, 1) } }
                    stage b { if (Test-Path "$env:TEST_PLACE/bad") { throw 'bad' }; "$($_.Output['a'].n.GetType().Name) $($_.Output['a'].when.Year)" | Set-Content "$env:TEST_PLACE/out" } -DependsOn a
                }
            }
            Set-Content "$env:TEST_PLACE/bad" ''
            $null = Invoke-Pwsh $script $store
            Remove-Item "$env:TEST_PLACE/bad"
            $null = Invoke-Pwsh $script $store
            Get-Content "$env:TEST_PLACE/out" | Should -Be 'Int64 2026'
        }

        It 'shows progress' {
            $shell = [powershell]::Create()
            $null = $shell.AddScript('param($Module, $Store) Import-Module $Module; Invoke-CheckpointPipeline p -Store $Store { stage s { $_.Progress(40, "half way") } }').AddArgument($ModulePath).AddArgument($store).Invoke()
            $said = $shell.Streams.Progress | ForEach-Object { "$($_.Activity) $($_.PercentComplete) $($_.StatusDescription)" }
            $said | Should -Contain "Stage 's' 40 half way"
            $said | Should -Contain "Pipeline 'p' 0 Stage 1 of 1: s"
            $shell.Dispose()
        }
    }

    Context 'Order' {
        It 'follows the dependencies, else the order written' {
            $null = Invoke-CheckpointPipeline nightly { stage d $work -DependsOn b; stage a $work; stage c $work; stage b $work -DependsOn a }
            $ran | Should -Be 'a', 'c', 'b', 'd'
        }

        It 'is InvalidPipeline where it cannot be had, naming every fault, before any stage or hook runs' {
            $hook = @{ BeforePipeline = { $ran.Add('hook') } }
            $failure = {
                Invoke-CheckpointPipeline nightly -Hook $hook { stage ok $work; stage a $work -DependsOn b; stage b $work -DependsOn a; stage c $work -DependsOn nowhere; stage OK $work; stage '' $work }
            } | Should -Throw -ErrorId 'InvalidPipeline,Checkpoint.Commands.InvokeCheckpointPipelineCommand' -PassThru
            $failure.CategoryInfo.Category | Should -Be 'InvalidArgument'
            $failure.TargetObject | Should -Be 'nightly'
            foreach ($part in "a → b → a", "'c' depends on 'nowhere'", "'OK' is there twice") { "$failure" | Should -BeLike "*$part*" }
            $ran | Should -BeNullOrEmpty
            Get-CheckpointRun -Pipeline nightly | Should -BeNullOrEmpty
        }

        It 'is InvalidPipeline without a stage' {
            { Invoke-CheckpointPipeline nightly { } } | Should -Throw -ErrorId 'InvalidPipeline,*'
        }

        It 'takes nothing but stages from the block' {
            { Invoke-CheckpointPipeline nightly { 'text' } } | Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.InvokeCheckpointPipelineCommand'
        }

        It 'runs nothing where a stage cannot be made, though the script would go on: <Fault>' -ForEach @(
            @{ Fault = 'a parameter that there is not'; Stages = 'stage a { $ran = 1; New-Item ran } -Retrry 3; stage b { New-Item ran }'; Id = 'NamedParameterNotFound' }
            @{ Fault = 'an error that does not terminate'; Stages = 'Get-Item "/no such thing"; stage b { New-Item ran }'; Id = 'PathNotFound' }
            @{ Fault = 'a method'; Stages = '[int]::Parse("x"); stage b { New-Item ran }'; Id = 'FormatException' }
        ) {
            $place = New-TestFolder
            $child = Invoke-Pwsh -WorkingDirectory $place {
                param($Store, $Stages)
                $ErrorActionPreference = 'Continue'
                try { Invoke-CheckpointPipeline nightly ([scriptblock]::Create($Stages)) -Store $Store } catch { $_.FullyQualifiedErrorId }
                Invoke-CheckpointPipeline nightly ([scriptblock]::Create($Stages)) -Store $Store
                'behind'
            } $store, $Stages
            $child.Output | Should -BeLike "$Id*"
            $child.ExitCode | Should -Be 1
            "$place/ran" | Should -Not -Exist
        }

        It 'leaves out what is disabled and what depends on it, and reports both' {
            $result = Invoke-CheckpointPipeline nightly { stage a $work -Disabled; stage b $work -DependsOn a; stage c $work }
            $result | Get-Row | Should -Be 'a: Disabled', 'b: Disabled', 'c: Completed'
            $result.Stages[1].Reason | Should -BeLike "*'a'*disabled*"
            $result.Status | Should -Be 'Completed'
        }

        It 'says with -WhatIf what would run and why, and runs nothing' {
            $broken.Add('b')
            $null = Invoke-Quietly $chain
            $text = { stage a { 1 }; stage b { 2 } -DependsOn a; stage off { 3 } -Disabled }
            $plan = Get-Plan $text
            $plan | Should -HaveCount 3
            $plan[0] | Should -BeLike "*Run*'a'*the fingerprint changed: script*"
            $plan[1] | Should -BeLike "*Run*'b'*'a' runs before it*"
            $plan[2] | Should -BeLike "*Leave out*'off'*disabled*"
            $child = Invoke-Pwsh { param($Store) $WhatIfPreference = $true; Invoke-CheckpointPipeline nightly -Store $Store { stage a { 1 } } } $store
            $child.Output -match 'What if' | Should -BeLike "*Run*'a'*the fingerprint changed: script*"
            (Get-CheckpointRun -Pipeline nightly).Attempts | Should -Be 1
            $none = New-TestStore -Missing
            (Get-Plan { stage a { 1 } } -Store $none) | Should -BeLike "*Run*'a'*there is no checkpoint*"
            $none | Should -Not -Exist
        }
    }

    Context 'Resuming' {
        It 'goes on with the newest unfinished run, and starts a new one where that is finished' {
            $broken.Add('b')
            $first = Invoke-Quietly $chain
            $broken.Clear()
            $second = Invoke-Quietly $chain
            $second.Run | Should -Be $first.Run
            $second | Get-Row | Should -Be 'a: Skipped', 'b: Completed', 'c: Completed'
            $third = Invoke-Quietly $chain
            $third.Run | Should -Not -Be $first.Run
            $third | Get-Row | Should -Be 'a: Completed', 'b: Completed', 'c: Completed'
        }

        It 'keeps progress across any number of failures: fails at b, resumes, fails at c, resumes: c alone runs' {
            $broken.Add('b')
            $null = Invoke-Quietly $chain
            $broken[0] = 'c'
            $null = Invoke-Quietly $chain
            $broken.Clear()
            $ran.Clear()
            $result = Invoke-Quietly $chain
            $ran | Should -Be 'c'
            $result | Get-Row | Should -Be 'a: Skipped', 'b: Skipped', 'c: Completed'
            (Get-CheckpointRun -Pipeline nightly).Attempts | Should -Be 3
        }

        It 'succeeds where nothing is left to do, and the run keeps its record' {
            $null = Invoke-Quietly $chain @{ Run = 'r1' }
            $before = Get-CheckpointRun r1 -Pipeline nightly
            $result = Invoke-CheckpointPipeline nightly $chain -Run r1
            $result.Status | Should -Be 'Completed'
            $result | Get-Row | Should -Be 'a: Skipped', 'b: Skipped', 'c: Skipped'
            $after = Get-CheckpointRun r1 -Pipeline nightly
            $after.Attempts, $after.EndedAt | Should -Be $before.Attempts, $before.EndedAt
            $after.Stages | ForEach-Object { "$_" } | Should -Be 'a: Completed', 'b: Completed', 'c: Completed'
        }

        It 'starts anew with -Restart, and leaves the unfinished run as it is' {
            $broken.Add('b')
            $first = Invoke-Quietly $chain
            $broken.Clear()
            $second = Invoke-Quietly $chain @{ Restart = $true }
            $second.Run | Should -Not -Be $first.Run
            $second.Stages[0].Status | Should -Be 'Completed'
            (Get-CheckpointRun $first.Run -Pipeline nightly).Status | Should -Be 'Failed'
        }

        It 'does a named run again with -Restart' {
            $null = Invoke-Quietly $chain @{ Run = 'r1' }
            (Invoke-Quietly $chain @{ Run = 'r1'; Restart = $true }) | Get-Row | Should -Be 'a: Completed', 'b: Completed', 'c: Completed'
        }

        It 'names a run with -Run: it is resumed, or started under that id' {
            (Invoke-Quietly $chain @{ Run = 'r1' }).Run | Should -Be 'r1'
            $broken.Add('c')
            (Invoke-Quietly $chain @{ Run = 'r2' }).Stages[1].Status | Should -Be 'Completed'
            $broken.Clear()
            (Invoke-Quietly $chain @{ Run = 'R2' }) | Get-Row | Should -Be 'a: Skipped', 'b: Skipped', 'c: Completed'
        }

        It 'insists with -Resume: RunNotFound where there is nothing to resume' {
            { Invoke-CheckpointPipeline nightly $chain -Resume } | Should -Throw -ErrorId 'RunNotFound,Checkpoint.Commands.InvokeCheckpointPipelineCommand'
            $null = Invoke-Quietly $chain
            { Invoke-CheckpointPipeline nightly $chain -Resume } | Should -Throw -ErrorId 'RunNotFound,*'
            { Invoke-CheckpointPipeline nightly $chain -Resume -Run none } | Should -Throw -ErrorId 'RunNotFound,*'
            $broken.Add('c')
            $null = Invoke-Quietly $chain
            $broken.Clear()
            (Invoke-CheckpointPipeline nightly $chain -Resume) | Get-Row | Should -Be 'a: Skipped', 'b: Skipped', 'c: Completed'
        }

        It 'runs a stage and all that depend on it again with -From' {
            $four = { & $chain; stage d $work -DependsOn a }
            $first = Invoke-Quietly $four
            $ran.Clear()
            $result = Invoke-Quietly $four @{ From = 'b' }
            $ran | Should -Be 'b', 'c'
            $result.Run | Should -Be $first.Run
            { Invoke-CheckpointPipeline nightly $four -From nowhere } | Should -Throw -ErrorId 'InvalidPipeline,*'
        }

        It 'completes -From by the stages of the pipeline' {
            $null = Invoke-CheckpointPipeline nightly $chain
            $line = 'Invoke-CheckpointPipeline nightly -From '
            (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Be 'a', 'b', 'c'
        }

        It 'refuses -Restart with -Resume or -From' {
            { Invoke-CheckpointPipeline nightly $chain -Restart -Resume } | Should -Throw -ErrorId 'InvalidArgument,*'
            { Invoke-CheckpointPipeline nightly $chain -Restart -From a } | Should -Throw -ErrorId 'InvalidArgument,*'
        }

        It 'takes the pipeline of the context where the block stands alone' {
            Set-CheckpointContext -Store $store -Pipeline ctx
            (Invoke-CheckpointPipeline { stage a { 1 } }).Name | Should -Be 'ctx'
            (Invoke-CheckpointPipeline -Config 5 { stage a { 1 } } -Run r7).Run | Should -Be 'r7'
            (Invoke-CheckpointPipeline -ScriptBlock { stage a { 1 } }).Name | Should -Be 'ctx'
            (New-CheckpointStage a { 1 } | Invoke-CheckpointPipeline).Name | Should -Be 'ctx'
            $result = New-CheckpointStage a { 1 } | Invoke-CheckpointPipeline { stage b { 2 } -DependsOn a }
            $result.Name, $result.Stages.Name | Should -Be 'ctx', @('a', 'b')
            foreach ($named in (Invoke-CheckpointPipeline mine { stage a { 1 } }), (Invoke-CheckpointPipeline { stage a { 1 } } -Pipeline mine), (Invoke-CheckpointPipeline -Name mine -ScriptBlock { stage a { 1 } })) {
                $named.Name | Should -Be 'mine'
            }
        }

        It 'takes pipeline and run of the context, as those of a CI job that is run again' {
            $script = {
                param($Store)
                $null = Invoke-CheckpointPipeline -Store $Store -ScriptBlock { stage a { 1 } }
                Get-CheckpointRun -Store $Store | ForEach-Object { "$($_.Pipeline) $($_.Run) $($_.Attempts)" }
            }
            1..2 | ForEach-Object { (Invoke-Pwsh $script $store -Environment @{ GITHUB_RUN_ID = '77'; GITHUB_WORKFLOW = 'ci' }).Output | Should -Be 'ci 77 1' }
        }
    }

    Context 'What changed' {
        BeforeEach {
            $broken.Add('c')
            $first = Invoke-Quietly $chain @{ Config = @{ Server = 'db1'; Rows = 5 } }
            $broken.Clear()
        }

        It 'is, of the configuration, a warning that names the parts, and a new run' {
            $result = Invoke-CheckpointPipeline nightly $chain -Config @{ Server = 'db2'; Rows = 5 } -WarningVariable warned -WarningAction SilentlyContinue
            $result.Run | Should -Not -Be $first.Run
            "$warned" | Should -BeLike "*'$($first.Run)'*: Server.*new run*"
            "$warned" | Should -Not -BeLike '*Rows*'
            $result.Stages[0].Status | Should -Be 'Completed'
        }

        It 'says where in it is a secret, of which no fingerprint is taken' {
            $ran.Clear()
            { Invoke-CheckpointPipeline nightly $chain -Config @{ Login = @{ Password = [securestring]::new() } } } |
                Should -Throw -ErrorId 'StateNotSerializable,*' '*$config.Login.Password*leave it out*'
            $ran | Should -BeNullOrEmpty
        }

        It 'is FingerprintMismatch with -OnConfigChange Error, naming run and pipeline' {
            $failure = { Invoke-CheckpointPipeline nightly $chain -Config @{ Server = 'db2'; Rows = 5 } -OnConfigChange Error } |
                Should -Throw -ErrorId 'FingerprintMismatch,Checkpoint.Commands.InvokeCheckpointPipelineCommand' -PassThru
            "$failure" | Should -BeLike "*'$($first.Run)'*'nightly'*Server*"
        }

        It 'is passed over with -OnConfigChange Ignore' {
            $result = Invoke-CheckpointPipeline nightly $chain -Config @{ Server = 'db2'; Rows = 5 } -OnConfigChange Ignore -WarningAction Stop
            $result.Run | Should -Be $first.Run
            $result | Get-Row | Should -Be 'a: Skipped', 'b: Skipped', 'c: Completed'
        }

        It 'invalidates, as a block, its stage and what depends on it, not the rest' {
            $ran.Clear()
            $result = Invoke-CheckpointPipeline nightly -Config @{ Server = 'db1'; Rows = 5 } {
                stage a $work
                stage b { $ran.Add('new b'); 2 } -DependsOn a
                stage c $work -DependsOn b
            }
            $ran | Should -Be 'new b', 'c'
            $result.Stages[1].Reason | Should -BeLike '*script*'
        }

        It 'redoes nothing where the block of the stage that failed was repaired' {
            $ran.Clear()
            $null = Invoke-CheckpointPipeline nightly -Config @{ Server = 'db1'; Rows = 5 } { stage a $work; stage b $work -DependsOn a; stage c { $ran.Add('repaired') } -DependsOn b }
            $ran | Should -Be 'repaired'
        }
    }

    Context 'Failure' {
        It 'stops at the first by default: the result is emitted, then StageFailed with it as its target' {
            $broken.Add('b')
            $result = Invoke-CheckpointPipeline nightly $chain -ErrorVariable failure -ErrorAction SilentlyContinue
            $result.Status | Should -Be 'Failed'
            $result | Get-Row | Should -Be 'a: Completed', 'b: Failed', 'c: NotRun'
            $result.Stages[1].Error | Should -Be 'b broke'
            $result.Stages[1].Attempts | Should -Be 1
            $result.Duration | Should -BeGreaterThan ([timespan]::Zero)
            $last = $failure[-1]
            $last.FullyQualifiedErrorId | Should -BeExactly 'StageFailed,Checkpoint.Commands.InvokeCheckpointPipelineCommand'
            $last.CategoryInfo.Category | Should -Be 'OperationStopped'
            $last.TargetObject.Run | Should -Be $result.Run
            "$last" | Should -BeLike "*'b'*'nightly'*$($result.Run)*b broke*"
        }

        It 'ends a CI step that says -ErrorAction Stop' {
            $child = Invoke-Pwsh { param($Store) Invoke-CheckpointPipeline nightly -Store $Store -ErrorAction Stop { stage a { throw 'no space' } }; 'not reached' } $store
            $child.ExitCode | Should -Be 1
            $child.ErrorOutput | Should -Match 'no space'
            $child.Output -join '' | Should -Not -Match 'not reached'
        }

        It 'goes on with -ContinueOnError with what does not depend on it, never with what does' {
            $broken.Add('a')
            $result = Invoke-Quietly { & $chain; stage d $work } @{ ContinueOnError = $true }
            $result.Status | Should -Be 'Partial'
            $result | Get-Row | Should -Be 'a: Failed', 'b: NotRun', 'c: NotRun', 'd: Completed'
            $ran | Should -Be 'a', 'd'
            $broken.Add('d')
            $null = Invoke-CheckpointPipeline nightly { & $chain; stage d $work; stage e $work } -Restart -ContinueOnError -ErrorVariable failure -ErrorAction SilentlyContinue
            "$($failure[-1])" | Should -BeLike "*'a'*a broke. So did 'd'. *"
            $broken.Clear()
            (Invoke-Quietly { & $chain; stage d $work }).Status | Should -Be 'Completed'
        }

        It 'counts attempts, and tries a stage again as it says, with a warning in any culture' {
            $culture = [cultureinfo]::CurrentCulture
            try {
                [cultureinfo]::CurrentCulture = 'de-DE'
                $result = Invoke-CheckpointPipeline nightly -WarningVariable warned -WarningAction SilentlyContinue { stage a { if ($_.Attempt -lt 3) { throw 'x' } } -Retry 3 -RetryDelay 0.01s }
            }
            finally { [cultureinfo]::CurrentCulture = $culture }
            $result.Stages[0].Attempts | Should -Be 3
            $result.Stages[0].Status | Should -Be 'Completed'
            "$($warned[0])" | Should -BeExactly "Stage 'a' failed at attempt 1 of 4 and is tried again in 0.01 s: x"
        }

        It 'is what a stage that takes too long has' {
            $result = Invoke-Quietly { stage a { Start-Sleep 60 } -Timeout 0.3s }
            $result.Stages[0].Error | Should -BeLike '*longer than*'
        }

        It 'parks a run with -MaxAttempts until a person passes -Resume' {
            $broken.Add('b')
            1..2 | ForEach-Object { $null = Invoke-Quietly $chain @{ MaxAttempts = 2 } }
            $ran.Clear()
            $broken.Clear()
            $failure = { Invoke-CheckpointPipeline nightly $chain -MaxAttempts 2 } | Should -Throw -ErrorId 'StageFailed,*' -PassThru
            "$failure" | Should -BeLike '*parked*2 times*b broke*-Resume*'
            $ran | Should -BeNullOrEmpty
            (Invoke-CheckpointPipeline nightly $chain -MaxAttempts 2 -Resume).Status | Should -Be 'Completed'
        }

        It 'is an error that ends the command where the store cannot be written' -Skip:$IsWindows {
            $file = "$(New-TestFolder)/file"
            Set-Content $file ''
            { Invoke-CheckpointPipeline nightly $chain -Store $file } | Should -Throw -ErrorId 'StoreUnavailable,*'
            $ran | Should -BeNullOrEmpty
        }
    }

    Context 'Processes' {
        BeforeAll {
            $slow = {
                param($Store, $Busy, $Wait)
                Invoke-CheckpointPipeline nightly -Store $Store -WhenBusy $Busy -ErrorAction Stop {
                    stage a { Add-Content "$env:TEST_PLACE/log" a }
                    stage b { Add-Content "$env:TEST_PLACE/log" b; $null = New-Item "$env:TEST_PLACE/in" -Force; while (Test-Path "$env:TEST_PLACE/hold") { Start-Sleep -Milliseconds 20 }; 'done' } -DependsOn a
                    stage c { Add-Content "$env:TEST_PLACE/log" c } -DependsOn b
                } | ForEach-Object { $_.Stages | ForEach-Object { "$_" } }
            }
            # What it says of the waiting is there at once, for the test to go on.
            $waiting = {
                param($Store)
                Invoke-CheckpointPipeline nightly -Store $Store -WhenBusy Wait -ErrorAction Stop 3>&1 {
                    stage a { Add-Content "$env:TEST_PLACE/log" a }
                    stage b { Add-Content "$env:TEST_PLACE/log" b; $null = New-Item "$env:TEST_PLACE/in" -Force; while (Test-Path "$env:TEST_PLACE/hold") { Start-Sleep -Milliseconds 20 }; 'done' } -DependsOn a
                    stage c { Add-Content "$env:TEST_PLACE/log" c } -DependsOn b
                } | ForEach-Object { if ($_ -is [Management.Automation.WarningRecord]) { Add-Content "$env:TEST_PLACE/waits" "$_" } else { $_.Stages | ForEach-Object { "$_" } } }
            }
        }

        It 'resumes, in another process, a run that was killed in the middle of stage b' {
            Set-Content "$env:TEST_PLACE/hold" ''
            $child = Start-Pwsh $slow $store, 'Fail'
            Wait-Until { Test-Path "$env:TEST_PLACE/in" }
            (Get-CheckpointRun -Pipeline nightly).Status | Should -Be 'Running'
            $null = Stop-Pwsh $child
            Complete-Lease $store -Pipeline nightly -Run (Get-CheckpointRun -Pipeline nightly).Run
            (Get-CheckpointRun -Pipeline nightly).Status | Should -Be 'Interrupted'
            Remove-Item "$env:TEST_PLACE/hold"
            $next = Invoke-Pwsh $slow $store, 'Fail'
            $next.ErrorOutput | Should -BeNullOrEmpty
            $next.Output | Should -Be 'a: Skipped', 'b: Completed', 'c: Completed'
            Get-Content "$env:TEST_PLACE/log" | Should -Be 'a', 'b', 'b', 'c'
            Get-CheckpointRun -Pipeline nightly | ForEach-Object { "$($_.Status) $($_.Attempts)" } | Should -Be 'Completed 2'
        }

        It 'lets one work and the other fail with LeaseHeld, which says who and since when' {
            Set-Content "$env:TEST_PLACE/hold" ''
            $child = Start-Pwsh $slow $store, 'Fail'
            try {
                Wait-Until { Test-Path "$env:TEST_PLACE/in" }
                $failure = { Invoke-CheckpointPipeline nightly $chain } | Should -Throw -ErrorId 'LeaseHeld,Checkpoint.Commands.InvokeCheckpointPipelineCommand' -PassThru
                $failure.CategoryInfo.Category | Should -Be 'ResourceBusy'
                "$failure" | Should -BeLike "*process $($child.Process.Id) of $([Environment]::UserName) on $([Environment]::MachineName), since 20??-??-??*-WhenBusy Wait*"
                $ran | Should -BeNullOrEmpty
            }
            finally {
                Remove-Item "$env:TEST_PLACE/hold"
                $left = Wait-Pwsh $child
            }
            $left.Output | Should -Be 'a: Completed', 'b: Completed', 'c: Completed'
        }

        It 'waits with -WhenBusy Wait, says for whom, and then finds that very run done' {
            Set-Content "$env:TEST_PLACE/hold" ''
            $first = Start-Pwsh $slow $store, 'Fail'
            Wait-Until { Test-Path "$env:TEST_PLACE/in" }
            $second = Start-Pwsh $waiting $store
            Wait-Until { Get-Content "$env:TEST_PLACE/waits" -ErrorAction Ignore }
            Get-Content "$env:TEST_PLACE/waits" | Should -BeLike "*at work on run*process $($first.Process.Id) of *, since 20??-??-??*waited for*"
            Remove-Item "$env:TEST_PLACE/hold"
            (Wait-Pwsh $first).Output | Should -Be 'a: Completed', 'b: Completed', 'c: Completed'
            $left = Wait-Pwsh $second
            $left.ErrorOutput | Should -BeNullOrEmpty
            $left.Output | Should -Be 'a: Skipped', 'b: Skipped', 'c: Skipped'
            Get-Content "$env:TEST_PLACE/log" | Should -Be 'a', 'b', 'c'
            @(Get-Content "$env:TEST_PLACE/waits") | Should -HaveCount 1
        }

        It 'goes on, who waited, where the other is killed' {
            Set-Content "$env:TEST_PLACE/hold" ''
            $first = Start-Pwsh $slow $store, 'Fail'
            Wait-Until { Test-Path "$env:TEST_PLACE/in" }
            $second = Start-Pwsh $waiting $store
            Wait-Until { Test-Path "$env:TEST_PLACE/waits" }
            $null = Stop-Pwsh $first
            Remove-Item "$env:TEST_PLACE/hold"
            (Wait-Pwsh $second).Output | Should -Be 'a: Skipped', 'b: Completed', 'c: Completed'
            @(Get-CheckpointRun -Pipeline nightly) | Should -HaveCount 1
        }

        It 'does each stage once where two processes start at the same moment' {
            Set-Content "$env:TEST_PLACE/hold" ''
            $children = 1..2 | ForEach-Object { Start-Pwsh $slow $store, 'Fail' }
            Wait-Until { @($children | Where-Object { $_.Process.HasExited }).Count -eq 1 }
            Remove-Item "$env:TEST_PLACE/hold"
            $left = $children | ForEach-Object { Wait-Pwsh $_ }
            $left.ExitCode | Sort-Object | Should -Be 0, 1
            ($left | Where-Object ExitCode -EQ 1).ErrorOutput | Should -Match 'at work on run'
            Get-Content "$env:TEST_PLACE/log" | Should -Be 'a', 'b', 'c'
        }

        It 'leaves the run Interrupted at <Signal> to its process in <Busy>, and goes on in the next' -Skip:$IsWindows -ForEach @(
            @{ Signal = 'INT'; Busy = 'Start-Sleep 600' }
            @{ Signal = 'INT'; Busy = 'sleep 600' }
            @{ Signal = 'KILL'; Busy = 'Start-Sleep 600' }
        ) {
            $place = New-TestStore
            $script = "param(`$Store) Invoke-CheckpointPipeline nightly -Store `$Store -Run '' { stage a { 1 }; stage b { `$null = New-Item '$env:TEST_PLACE/in'; if (-not (Test-Path '$env:TEST_PLACE/go')) { $Busy } } -DependsOn a } | ForEach-Object { `$_.Stages | ForEach-Object { `"`$_`" } }; 'behind'"
            $child = Start-Pwsh $script $place
            Wait-Until { Test-Path "$env:TEST_PLACE/in" }
            (Get-CheckpointRun -Pipeline nightly -Store $place).Status | Should -Be 'Running'
            $at = [DateTimeOffset]::UtcNow
            & kill "-$Signal" $child.Process.Id
            $left = Wait-Pwsh $child
            $left.Output | Should -Not -Contain 'behind'
            if ($Signal -eq 'KILL') { Complete-Lease $place -Pipeline nightly -Run (Get-CheckpointRun -Pipeline nightly -Store $place).Run }
            $run = Get-CheckpointRun -Pipeline nightly -Store $place
            $run.Status | Should -Be 'Interrupted'
            if ($Signal -eq 'INT') {
                # By the run's own account; left alone it would take 600 s. On a machine that is busy with other tests a second is no bound.
                ($run.EndedAt - $at).TotalSeconds | Should -BeLessThan 5
                (Get-CheckpointHistory -Pipeline nightly -Store $place)[-1].Event | Should -Be 'RunInterrupted'
            }
            $null = New-Item "$env:TEST_PLACE/go"
            Remove-Item "$env:TEST_PLACE/in"
            (Invoke-Pwsh $script $place).Output | Should -Be 'a: Skipped', 'b: Completed', 'behind'
            Get-CheckpointRun -Pipeline nightly -Store $place | ForEach-Object { "$($_.Run) $($_.Status) $($_.Attempts)" } | Should -Be "$($run.Run) Completed 2"
        }

        It 'leaves the run Interrupted at Ctrl+C, within a second, and resumes it' {
            $shell = [powershell]::Create()
            $null = $shell.AddScript('param($Module, $Store) Import-Module $Module; Invoke-CheckpointPipeline nightly -Store $Store { stage a { 1 }; stage b { $null = New-Item "$env:TEST_PLACE/in"; Start-Sleep 600 } -DependsOn a }').AddArgument($ModulePath).AddArgument($store)
            $null = $shell.BeginInvoke()
            Wait-Until { Test-Path "$env:TEST_PLACE/in" }
            $clock = [Diagnostics.Stopwatch]::StartNew()
            $shell.Stop()
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 2
            $shell.Dispose()
            $run = Get-CheckpointRun -Pipeline nightly
            $run.Status | Should -Be 'Interrupted'
            $run.EndedAt | Should -Not -BeNullOrEmpty
            (Get-CheckpointHistory -Pipeline nightly)[-1].Event | Should -Be 'RunInterrupted'
            $result = Invoke-CheckpointPipeline nightly { stage a { 1 }; stage b { 'ok' } -DependsOn a }
            $result.Run | Should -Be $run.Run
            $result | Get-Row | Should -Be 'a: Skipped', 'b: Completed'
        }
    }

    It 'says on the information stream how it goes on' {
        $broken.Add('b')
        $result = Invoke-CheckpointPipeline nightly $chain -ErrorAction SilentlyContinue -InformationVariable said
        $said | ForEach-Object { "$_" } | Should -Be @(
            "Run started: $($result.Run) of pipeline nightly"
            'Stage started: a: there is no checkpoint'
            'Stage completed: a'
            'Stage started: b: there is no checkpoint'
            'Stage failed: b: b broke'
            "Stage not run: c: the run stopped when 'b' failed"
            "Run failed: $($result.Run) of pipeline nightly"
        )
        $said.Tags | Select-Object -Unique | Should -Be 'Checkpoint'
    }

    It 'keeps the newest steps alone with -Keep' {
        1..3 | ForEach-Object { $null = Invoke-Quietly ([scriptblock]::Create("stage a { $_ }")) @{ Run = 'r1'; Keep = 2 } }
        (Get-Checkpoint a -Pipeline nightly -Run r1 -AllSteps).Step | Should -Be 3, 2
    }
}
