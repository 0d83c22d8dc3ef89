BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Invoke-CheckpointStage' {
    BeforeEach {
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store -Pipeline default -Run ''
        $runs = [Collections.Generic.List[object]]::new()
    }

    Context 'Once' {
        It 'runs the block once, emits its output, and emits the saved output from then on' {
            $block = { $runs.Add(1); 'a', 'b' }
            Invoke-CheckpointStage fetch $block | Should -Be 'a', 'b'
            Invoke-CheckpointStage fetch $block | Should -Be 'a', 'b'
            $runs | Should -HaveCount 1
        }

        It 'does so in any process' {
            $script = {
                param($Store)
                Invoke-CheckpointStage fetch -Store $Store -Pipeline p -Run '' { Add-Content ran.txt x; @{ id = 5L; at = [datetime]::new(2026, 1, 1) } } | ForEach-Object { "$($_.id.GetType().Name) $($_.id) $($_.at.Year)" }
            }
            $place = New-TestFolder
            1..2 | ForEach-Object { (Invoke-Pwsh $script $store -WorkingDirectory $place).Output | Should -Be 'Int64 5 2026' }
            @(Get-Content "$place/ran.txt") | Should -HaveCount 1
        }

        It 'gives back <What> as it was' -ForEach @(
            @{ What = 'nothing'; Block = { } ; Count = 0 }
            @{ What = 'one null'; Block = { $null }; Count = 1 }
            @{ What = 'one object'; Block = { 42 }; Count = 1 }
            @{ What = 'many objects'; Block = { 1..5 }; Count = 5 }
            @{ What = 'an array as one object'; Block = { , @(1, 2) }; Count = 1 }
            @{ What = 'an empty array as one object'; Block = { , @() }; Count = 1 }
        ) {
            $first = @(Invoke-CheckpointStage s $Block)
            $second = @(Invoke-CheckpointStage s $Block)
            $first.Count | Should -Be $Count
            $second.Count | Should -Be $Count
            ConvertTo-Json $second -Compress | Should -Be (ConvertTo-Json $first -Compress)
        }

        It 'sees the variables of the caller, and $_ with the name, pipeline, run and attempt' {
            $x = 5
            Invoke-CheckpointStage s -Run r1 { param($Stage) "$x $($_.Name) $($_.Pipeline) $($_.Run) $($_.Attempt) $($Stage.Name)" } | Should -Be '5 s default r1 1 s'
        }

        It 'sees $_, and stops at errors, in <What> too' -ForEach @(
            @{ What = 'a closure'; Sees = 'captured'; Make = { $captured = 'captured'; { "$captured $($_.Name) $ErrorActionPreference" }.GetNewClosure() } }
            @{ What = 'a block of a module'; Sees = 'own'; Make = { & (New-Module { $own = 'own' }) { { "$own $($_.Name) $ErrorActionPreference" } } } }
        ) {
            $block = & $Make
            Invoke-CheckpointStage s $block | Should -Be "$Sees s Stop"
            Invoke-CheckpointStage t $block -Timeout 60s | Should -Be "$Sees t Stop"
            $result = Invoke-CheckpointPipeline p { stage u $block }
            Restore-Checkpoint u -Pipeline p -Run $result.Run | Should -Be "$Sees u Stop"
        }

        It 'sees them, and the variables of whoever wrote it, where a module runs it' {
            $module = New-Module { function Invoke-Mine($Name, $Block, $With) { Invoke-CheckpointStage $Name $Block @With } }
            $x = 'mine'
            $block = { "$x $($_.Name) $ErrorActionPreference" }
            & $module { Invoke-Mine @args } s $block @{} | Should -Be 'mine s Stop'
            & $module { Invoke-Mine @args } t $block @{ Timeout = '60s' } | Should -Be 'mine t Stop'
        }

        It 'shows progress' {
            $shell = [powershell]::Create()
            $null = $shell.AddScript('param($Module, $Store) Import-Module $Module; Invoke-CheckpointStage s -Store $Store { $_.Progress(40, "half way") }').AddArgument($ModulePath).AddArgument($store).Invoke()
            $shell.Streams.Progress | ForEach-Object { "$($_.PercentComplete) $($_.StatusDescription)" } | Should -Contain '40 half way'
            $shell.Dispose()
        }

        It 'lets the other streams of the block through' {
            $null = Invoke-CheckpointStage s { Write-Warning w; Write-Information i } -WarningVariable warned -InformationVariable said -WarningAction SilentlyContinue 3>$null 6>$null
            $out = Invoke-CheckpointStage t { Write-Warning w; Write-Information i; 1 } 3>&1 6>&1
            "$out" | Should -BeLike '*w*i*'
            Restore-Checkpoint t | Should -Be 1
        }

        It 'lets the streams through with -Timeout too, and saves the output alone' {
            $out = Invoke-CheckpointStage t -Timeout 60s { Write-Warning w; 1 } 3>&1
            "$out" | Should -BeLike '*w*'
            Restore-Checkpoint t | Should -Be 1
        }

        It 'lets go by what the block goes on over, and what programs say, with and without -Timeout' {
            $script = {
                param($Store, $Limit)
                $with = $Limit ? @{ Timeout = $Limit } : @{}
                Invoke-CheckpointStage s -Store $Store @with {
                    Get-Item '/no such thing' -ErrorAction Continue
                    & ([Environment]::ProcessPath) -NoProfile -Command '[Console]::Error.WriteLine("said")'
                    $Error[-1]
                } | ForEach-Object { $_.GetType().Name }
            }
            foreach ($limit in '', '60s') {
                $child = Invoke-Pwsh $script (New-TestStore), $limit
                $child.ExitCode | Should -Be 0
                $child.Output | Where-Object { $_ -ne 'said' } | Should -Be 'ErrorRecord'
                "$($child.Output) $($child.ErrorOutput)" | Should -Match 'said'
                $child.ErrorOutput | Should -Match 'Cannot find path ./no such thing'
            }
        }

        It 'runs nothing with -WhatIf' {
            Invoke-CheckpointStage s { $runs.Add(1) } -WhatIf
            $runs | Should -BeNullOrEmpty
            Test-Checkpoint s | Should -BeFalse
        }
    }

    Context 'A block that fails' {
        It 'saves nothing, emits what it emitted, and fails with the own error of the block' {
            $out = [Collections.Generic.List[object]]::new()
            $failure = { Invoke-CheckpointStage s { 1; 2; throw [InvalidOperationException] 'boom' } | ForEach-Object { $out.Add($_) } } | Should -Throw -PassThru
            $out | Should -Be 1, 2
            $failure.Exception | Should -BeOfType ([InvalidOperationException])
            $failure.Exception.Message | Should -Be 'boom'
            Test-Checkpoint s | Should -BeFalse
        }

        It 'fails with the own record of <What>, unchanged: id, category, target, exception and place' -ForEach @(
            @{ What = 'a throw statement'; Block = { throw 'boom' } }
            @{ What = 'a thrown exception'; Block = { throw [IO.IOException] 'boom' } }
            @{ What = 'a cmdlet, of an error that does not terminate'; Block = { Get-Item '/no such thing'; 'not reached' } }
            @{ What = 'a method'; Block = { [int]::Parse('x') } }
            @{ What = 'an expression'; Block = { 1 / 0 } }
            @{ What = 'a function'; Block = { function f { [CmdletBinding()] param() $PSCmdlet.ThrowTerminatingError([Management.Automation.ErrorRecord]::new([Exception]::new('x'), 'OwnId', 'ReadError', 'it')) }; f } }
        ) {
            $expected = try { & { $ErrorActionPreference = 'Stop'; & $Block } } catch { $_ }
            foreach ($with in @{}, @{ Timeout = '60s' }) {
                $failure = { Invoke-CheckpointStage s $Block @with } | Should -Throw -PassThru
                foreach ($of in { $_.FullyQualifiedErrorId }, { "$($_.CategoryInfo)" }, { $_.TargetObject }, { $_.Exception.GetType() }, { $_.Exception.Message }, { $_.InvocationInfo.PositionMessage }, { $_.ScriptStackTrace.Split("`n")[0] }) {
                    $failure | ForEach-Object $of | Should -BeExactly ($expected | ForEach-Object $of)
                }
                Test-Checkpoint s | Should -BeFalse
            }
        }

        It 'ends a script that has no try, with exit code 1, <How>' -ForEach @{ How = 'without -Timeout'; Limit = '' }, @{ How = 'with -Timeout'; Limit = '60s' } {
            $child = Invoke-Pwsh {
                param($Store, $Limit)
                $ErrorActionPreference = 'Continue'
                $with = $Limit ? @{ Timeout = $Limit } : @{}
                Invoke-CheckpointStage s -Store $Store -Pipeline default -Run '' @with { 'before'; Get-Item '/no such thing'; 'behind' }
                'not reached'
            } $store, $Limit
            $child.ExitCode | Should -Be 1
            $child.Output | Should -Be 'before'
            $child.ErrorOutput | Should -Match '/no such thing'
            Test-Checkpoint s | Should -BeFalse
        }

        It 'fails of an error that ends a statement, though -ErrorAction lets those go by that do not: <_>' -ForEach "throw 'x'; 'rest'", "1 / 0; 'rest'" {
            foreach ($preference in 'Continue', 'SilentlyContinue') {
                # In a child, for a try around it, as Pester has one, changes what a block does.
                $child = Invoke-Pwsh {
                    param($Store, $Block, $Preference)
                    $ErrorActionPreference = 'Continue'
                    Invoke-CheckpointStage s -Store $Store -Pipeline default -Run '' ([scriptblock]::Create($Block)) -ErrorAction $Preference
                } $store, $_, $preference
                $child.ExitCode | Should -Be 1
                Test-Checkpoint s | Should -BeFalse
            }
        }

        It 'goes on over errors that do not terminate where -ErrorAction says so' {
            Invoke-CheckpointStage s { Get-Item "$TestDrive/nothing"; 'reached' } -ErrorAction SilentlyContinue | Should -Be 'reached'
            Test-Checkpoint s | Should -BeTrue
        }

        It 'is run again the next time' {
            { Invoke-CheckpointStage s { $runs.Add(1); if ($runs.Count -eq 1) { throw 'boom' }; 'ok' } } | Should -Throw
            Invoke-CheckpointStage s { $runs.Add(1); if ($runs.Count -eq 1) { throw 'boom' }; 'ok' } | Should -Be 'ok'
        }

        It 'leaves a loop around it as any block does, and saves nothing' {
            foreach ($i in 1..3) {
                Invoke-CheckpointStage s { if ($i -eq 2) { break }; $runs.Add($i) } -Force
            }
            $runs | Should -Be 1
        }

        It 'emits what it gave before it left a loop or the script' {
            $out = foreach ($i in 1..3) { Invoke-CheckpointStage s { "of $i"; if ($i -eq 2) { break } } -Force }
            $out | Should -Be 'of 1', 'of 2'
            $child = Invoke-Pwsh { param($Store) Invoke-CheckpointStage t -Store $Store { 'given'; exit 3 }; 'not reached' } $store
            $child.ExitCode | Should -Be 3
            $child.Output | Should -Be 'given'
        }
    }

    Context 'A result that cannot be saved' {
        It 'is emitted before the error: what the block gave is not lost' {
            $cycle = @{ name = 'c' }
            $cycle.me = $cycle
            $out = [Collections.Generic.List[object]]::new()
            { Invoke-CheckpointStage s { 1; $cycle; 3 } | ForEach-Object { $out.Add($_) } } | Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.InvokeCheckpointStageCommand'
            $out | Should -HaveCount 3
            [object]::ReferenceEquals($out[1], $cycle) | Should -BeTrue
            Test-Checkpoint s | Should -BeFalse
        }

        It 'is emitted also where it is the store that fails' -Tag Files {
            $out = [Collections.Generic.List[object]]::new()
            { Invoke-CheckpointStage s { 1; 2; Remove-Item $store -Recurse; Set-Content $store 'in the way' } | ForEach-Object { $out.Add($_) } } | Should -Throw -ErrorId 'StoreUnavailable,*'
            $out | Should -Be 1, 2
        }
    }

    Context 'What it depends on' {
        It 'runs again when the code changed, and says so; comments and white space do not count' {
            Invoke-CheckpointStage s { 'v1' } | Should -Be 'v1'
            Invoke-CheckpointStage s {
                # a comment
                'v1'
            } -InformationVariable said | Should -Be 'v1'
            "$said" | Should -BeLike 'Stage skipped: s*'
            Invoke-CheckpointStage s { 'v2' } -InformationVariable said | Should -Be 'v2'
            "$said" | Should -BeLike '*Stage runs again: s: the fingerprint changed: script*'
        }

        It 'does not depend on functions, variables and captured values outside of the block, unless -Fingerprint names them' {
            function Get-Part { 'one' }
            $x = 'one'
            $block = { "$x $(Get-Part)" }
            Invoke-CheckpointStage s $block | Should -Be 'one one'
            $with = @{ Fingerprint = $x, ${function:Get-Part} }
            Invoke-CheckpointStage t $block @with | Should -Be 'one one'
            $captured = { $x }
            Invoke-CheckpointStage u $captured.GetNewClosure() | Should -Be 'one'
            $x = 'two'
            Invoke-CheckpointStage s $block | Should -Be 'one one'
            Invoke-CheckpointStage u $captured.GetNewClosure() | Should -Be 'one'
            function Get-Part { 'two' }
            $with = @{ Fingerprint = 'one', ${function:Get-Part} }
            Invoke-CheckpointStage t $block @with -InformationVariable said | Should -Be 'two two'
            "$said" | Should -BeLike '*the fingerprint changed: ?1?.script*'
        }

        It 'runs again when the fingerprint changed, and says which part' {
            $block = { $runs.Add(1); $runs.Count }
            Invoke-CheckpointStage s $block -Fingerprint @{ Server = 'db1'; Rows = 5 } | Should -Be 1
            Invoke-CheckpointStage s $block -Fingerprint @{ Rows = 5; Server = 'db1' } | Should -Be 1
            Invoke-CheckpointStage s $block -Fingerprint @{ Server = 'db2'; Rows = 5 } -InformationVariable said | Should -Be 2
            "$said" | Should -BeLike '*the fingerprint changed: Server*'
        }

        It 'takes the saved result as good with -AcceptChange, without running, from then on' {
            Invoke-CheckpointStage s { 'v1' } | Should -Be 'v1'
            Invoke-CheckpointStage s { 'v2' } -AcceptChange | Should -Be 'v1'
            Invoke-CheckpointStage s { 'v2' } | Should -Be 'v1'
            Invoke-CheckpointStage t { 'new' } -AcceptChange | Should -Be 'new'
        }

        It 'runs regardless with -Force' {
            $block = { $runs.Add(1); $runs.Count }
            Invoke-CheckpointStage s $block | Should -Be 1
            Invoke-CheckpointStage s $block -Force | Should -Be 2
            Invoke-CheckpointStage s $block | Should -Be 2
        }

        It 'runs again, with a warning, where the saved result is damaged' {
            $block = { $runs.Add(1); 'x' }
            $null = Invoke-CheckpointStage s $block
            Set-Record (Get-Checkpoint s).Location 'damaged'
            Invoke-CheckpointStage s $block -WarningVariable warned -WarningAction SilentlyContinue | Should -Be 'x'
            $runs | Should -HaveCount 2
            "$warned" | Should -BeLike '*damaged*'
        }

        It 'keeps the newest steps alone with -Keep' {
            1..4 | ForEach-Object { $null = Invoke-CheckpointStage s { 1 } -Force -Keep 2 }
            (Get-Checkpoint s -AllSteps).Step | Should -Be 4, 3
        }
    }

    Context 'Retry' {
        It 'tries again as often as asked, with a warning each time, and emits the output of the last attempt alone' {
            $out = Invoke-CheckpointStage s { $_.Attempt; if ($_.Attempt -lt 3) { throw "boom $($_.Attempt)" } } -Retry 2 -RetryDelay 0.01s -WarningVariable warned -WarningAction SilentlyContinue
            $out | Should -Be 3
            $warned | Should -HaveCount 2
            "$($warned[0])" | Should -BeLike "*'s' failed at attempt 1 of 3*0.01 s: boom 1"
            "$($warned[1])" | Should -BeLike '*attempt 2 of 3*0.02 s: boom 2'
        }

        It 'does not pause at all with -RetryDelay 0s' {
            $null = Invoke-CheckpointStage s { if ($_.Attempt -lt 3) { throw 'x' } } -Retry 2 -RetryDelay 0s -WarningVariable warned -WarningAction SilentlyContinue
            $warned -replace '.*tried again in (\S+) s.*', '$1' | Should -Be '0', '0'
        }

        It 'fails with the last error, and does not pause after the last attempt' {
            $clock = [Diagnostics.Stopwatch]::StartNew()
            { Invoke-CheckpointStage s { $runs.Add(1); throw "boom $($_.Attempt)" } -Retry 1 -RetryDelay 0.01s -RetryBackoff 1000 -WarningAction SilentlyContinue } | Should -Throw 'boom 2'
            $runs | Should -HaveCount 2
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 8
        }

        It 'pauses no longer than -RetryMaxDelay, and less by chance with -RetryJitter' {
            $null = Invoke-CheckpointStage s { if ($_.Attempt -lt 4) { throw 'x' } } -Retry 3 -RetryDelay 0.02s -RetryBackoff 10 -RetryMaxDelay 0.03s -WarningVariable warned -WarningAction SilentlyContinue
            $warned -replace '.*tried again in (\S+) s.*', '$1' | Should -Be '0.02', '0.03', '0.03'
            $null = Invoke-CheckpointStage t { if ($_.Attempt -lt 3) { throw 'x' } } -Retry 2 -RetryDelay 0.05s -RetryBackoff 1 -RetryJitter 1 -WarningVariable warned -WarningAction SilentlyContinue
            $warned -replace '.*tried again in (\S+) s.*', '$1' | ForEach-Object { [double] $_ | Should -BeLessOrEqual 0.05 }
        }

        It 'retries only the errors that -RetryOn names, with or without namespace, derived ones too' {
            $throwing = { $runs.Add(1); throw [IO.FileNotFoundException] 'gone' }
            { Invoke-CheckpointStage s $throwing -Retry 2 -RetryDelay 0.01s -RetryOn TimeoutException, System.Net.Http.HttpRequestException } | Should -Throw 'gone'
            $runs | Should -HaveCount 1
            { Invoke-CheckpointStage s $throwing -Retry 2 -RetryDelay 0.01s -RetryOn IOException -WarningAction SilentlyContinue } | Should -Throw 'gone'
            $runs | Should -HaveCount 4
            { Invoke-CheckpointStage s $throwing -Retry 1 -RetryDelay 0.01s -RetryOn System.IO.FileNotFoundException -WarningAction SilentlyContinue } | Should -Throw 'gone'
            $runs | Should -HaveCount 6
        }

        It 'knows by -RetryOn <Type> the error of <What>' -ForEach @(
            @{ Type = 'FormatException'; What = 'a .NET method'; Block = { $runs.Add(1); [int]::Parse('x') } }
            @{ Type = 'DivideByZeroException'; What = 'an operator'; Block = { $runs.Add(1); 1 / 0 } }
            @{ Type = 'ItemNotFoundException'; What = 'a cmdlet'; Block = { $runs.Add(1); Get-Item "$TestDrive/none" } }
            @{ Type = 'CommandNotFoundException'; What = 'the engine'; Block = { $runs.Add(1); No-SuchCommand } }
        ) {
            { Invoke-CheckpointStage s $Block -Retry 1 -RetryDelay 0s -RetryOn $Type -WarningAction SilentlyContinue } | Should -Throw
            $runs | Should -HaveCount 2
            { Invoke-CheckpointStage s $Block -Retry 1 -RetryDelay 0s -RetryOn TimeoutException } | Should -Throw
            $runs | Should -HaveCount 3
            $result = Invoke-CheckpointPipeline p { stage a $Block -Retry 1 -RetryDelay 0s -RetryOn $Type } -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
            $result.Stages[0].Attempts | Should -Be 2
            # That an item failed is no end of the test.
            $ErrorActionPreference = 'Continue'
            foreach ($throttle in 1, 2) {
                $told = 1 | Invoke-CheckpointItem "i$throttle" ([scriptblock]::Create("$Block".Replace('$runs', '($using:runs)').Replace('$store', '$using:store'))) -Retry 1 -RetryDelay 0s -RetryOn $Type -ThrottleLimit $throttle -ContinueOnError 2>$null 3>&1
                @($told) | Should -HaveCount 1
            }
        }

        It 'refuses <_>' -ForEach @{ Retry = -1 }, @{ RetryBackoff = 0.5 }, @{ RetryJitter = 2 }, @{ RetryDelay = '5' }, @{ Timeout = '0s' }, @{ Timeout = '50d' }, @{ RetryDelay = '-1s' }, @{ RetryMaxDelay = '50d' }, @{ Keep = 0 } {
            $with = $_
            { Invoke-CheckpointStage s { $runs.Add(1) } @with } | Should -Throw -ErrorId 'ParameterArgument*'
            $runs | Should -BeNullOrEmpty
        }
    }

    Context 'Timeout' {
        It 'stops a block that takes longer, and saves nothing' {
            $clock = [Diagnostics.Stopwatch]::StartNew()
            $failure = { Invoke-CheckpointStage s { Start-Sleep 60 } -Timeout 0.3s } | Should -Throw -PassThru
            $failure.Exception | Should -BeOfType ([TimeoutException])
            $failure.FullyQualifiedErrorId | Should -BeExactly 'StageTimeout,Checkpoint.Commands.InvokeCheckpointStageCommand'
            $failure.CategoryInfo.Category | Should -Be 'OperationTimeout'
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 20
            Test-Checkpoint s | Should -BeFalse
        }

        It 'is for each attempt, and is tried again' {
            Invoke-CheckpointStage s { if ($_.Attempt -eq 1) { Start-Sleep 60 }; 'ok' } -Timeout 2s -Retry 1 -RetryDelay 0.01s -RetryOn TimeoutException -WarningAction SilentlyContinue | Should -Be 'ok'
        }

        It 'leaves alone a block that is quick enough' { Invoke-CheckpointStage s { 1; 2 } -Timeout 60s | Should -Be 1, 2 }
    }

    Context 'Death' {
        It 'has saved nothing when its process is killed in the block, and runs again in the next' {
            $child = Start-Pwsh { param($Store) Invoke-CheckpointStage s -Store $Store -Pipeline default -Run '' { 'half'; $null = New-Item "$env:TEST_PLACE/in"; Start-Sleep 600 } } $store
            Wait-Until { Test-Path "$env:TEST_PLACE/in" }
            $null = Stop-Pwsh $child
            Complete-Lease $store -Name s
            Test-Checkpoint s | Should -BeFalse
            Invoke-CheckpointStage s { 'whole' } | Should -Be 'whole'
        }

        It 'stops within a second of Ctrl+C and saves nothing' {
            $shell = [powershell]::Create()
            $null = $shell.AddScript('param($Module, $Store) Import-Module $Module; Invoke-CheckpointStage s -Store $Store -Retry 5 -RetryDelay 60s { $null = New-Item "$env:TEST_PLACE/in"; throw 1 }').AddArgument($ModulePath).AddArgument($store)
            $null = $shell.BeginInvoke()
            Wait-Until { $shell.Streams.Warning.Count -gt 0 }
            $clock = [Diagnostics.Stopwatch]::StartNew()
            $shell.Stop()
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 2
            Test-Checkpoint s | Should -BeFalse
            $shell.Dispose()
        }
    }
}
