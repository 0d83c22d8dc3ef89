# What -Hook of Invoke-CheckpointPipeline takes, and what it is told when.

BeforeAll {
    . $PSScriptRoot/Common.ps1

    class SpyHook {
        [Collections.Generic.List[string]] $Seen = [Collections.Generic.List[string]]::new()
        [void] BeforePipeline([object] $e) { $this.Seen.Add("BeforePipeline $($e.Pipeline)") }
        [void] AfterStage([object] $e) { $this.Seen.Add("AfterStage $($e.Stage)") }
        [void] OnRetry([object] $e) { throw 'the spy fell ill' }
    }

    class WritingHook {
        [void] BeforeStage([object] $e) { Write-Error 'the hook broke' }
    }

    function New-Recorder {
        # A hook for every event, which writes down what it is told.
        $hook = @{}
        foreach ($name in 'BeforePipeline', 'AfterPipeline', 'BeforeStage', 'AfterStage', 'OnStageFailure', 'OnRetry', 'OnCircuitBreaker') {
            $hook[$name] = { $events.Add($_) }
        }
        $hook
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Hooks' {
    BeforeEach {
        Set-CheckpointContext -Reset -Store (New-TestStore) -Pipeline nightly -Run '' -Keep $null
        $events = [Collections.Generic.List[object]]::new()
        $seen = [Collections.Generic.List[string]]::new()
    }

    It 'are called around the pipeline and around each stage, in this order' {
        $result = Invoke-CheckpointPipeline nightly -Hook (New-Recorder) { stage a { 1 }; stage b { 2 } -DependsOn a }
        $events | ForEach-Object { "$_" } | Should -Be 'BeforePipeline nightly', 'BeforeStage a', 'AfterStage a', 'BeforeStage b', 'AfterStage b', 'AfterPipeline nightly'
        $events.Run | Select-Object -Unique | Should -Be $result.Run
        $events[1].Reason | Should -Be 'there is no checkpoint'
        "$($events[2].Status) $($events[2].Attempt)" | Should -Be 'Completed 1'
        $events[2].Duration | Should -BeGreaterThan ([timespan]::Zero)
        $events[5].Status | Should -Be 'Completed'
        $events[5].Result.Stages.Name | Should -Be 'a', 'b'
        $events.Time.Offset | Select-Object -Unique | Should -Be ([timespan]::Zero)
    }

    It 'are told of a retry and of a failure: which attempt, which error, which pause' {
        $null = Invoke-CheckpointPipeline nightly -Hook (New-Recorder) -ErrorAction SilentlyContinue -WarningAction SilentlyContinue {
            stage a { throw [TimeoutException]::new("attempt $($_.Attempt) broke") } -Retry 1 -RetryDelay 00:00:00.01 -ErrorAction Stop
        }
        $events.Hook | Should -Be 'BeforePipeline', 'BeforeStage', 'OnRetry', 'OnStageFailure', 'AfterStage', 'AfterPipeline'
        "$($events[2].Attempt) $($events[2].Error.Message) $($events[2].Delay.TotalMilliseconds)" | Should -Be '1 attempt 1 broke 10'
        $events[2].Error | Should -BeOfType ([TimeoutException])
        "$($events[3].Attempt) $($events[3].Error.Message) $($events[3].Status)" | Should -Be '2 attempt 2 broke Failed'
        $events[5].Status | Should -Be 'Failed'
    }

    It 'are told of a circuit breaker that changes its state' {
        $breaker = New-CheckpointCircuitBreaker api -FailureThreshold 1 -OpenFor 1h
        $null = Invoke-CheckpointPipeline nightly -Hook (New-Recorder) -ErrorAction SilentlyContinue { stage a { throw 'down' } -CircuitBreaker $breaker }
        $told = $events.Where({ $_.Hook -eq 'OnCircuitBreaker' })
        "$($told.CircuitBreaker) $($told.Status) $($told.Stage) $($told.Reason)" | Should -Be 'api Open a 1 call failed, the last with: down'
    }

    It 'run in the order given, several of them' {
        $null = Invoke-CheckpointPipeline nightly { stage a { 1 } } -Hook @{ BeforeStage = { $seen.Add('first') } }, @{ BeforeStage = { $seen.Add('second') } }, @{ AfterStage = { $seen.Add('third') } }
        $seen | Should -Be 'first', 'second', 'third'
    }

    It 'that throw are a warning, the rest still run, and so does the work: <How>' -ForEach @(
        @{ How = 'throw'; Block = { throw 'the hook broke' } }
        @{ How = 'Write-Error'; Block = { Write-Error 'the hook broke' } }
        @{ How = '.NET'; Block = { [IO.File]::ReadAllText('/no/such/file the hook broke') } }
    ) {
        $result = Invoke-CheckpointPipeline nightly { stage a { 1 } } -Hook @{ BeforeStage = $Block }, @{ BeforeStage = { $seen.Add('second') } } -WarningVariable warnings -WarningAction SilentlyContinue
        $result.Status | Should -Be 'Completed'
        $seen | Should -Be 'second'
        $warnings | Should -HaveCount 1
        "$warnings" | Should -BeLike "The hook BeforeStage of pipeline 'nightly' failed and was passed over: *the hook broke*"
    }

    It 'that write an error or throw are a warning under -ErrorAction <_>, whatever kind they are, and the rest still run' -ForEach 'Continue', 'SilentlyContinue', 'Ignore', 'Stop' {
        $hooks = @(
            @{ BeforeStage = { throw 'the hook broke' } }
            @{ BeforeStage = { Write-Error 'the hook broke' } }
            @{ BeforeStage = { Get-Item '/no/such/file the hook broke'; $seen.Add('went on') } }
            [WritingHook]::new()
            [pscustomobject]@{ A = 1 } | Add-Member -PassThru ScriptMethod BeforeStage { Get-Item '/no/such/file the hook broke'; $seen.Add('went on') }
            @{ BeforeStage = { $seen.Add('last') } }
        )
        $result = Invoke-CheckpointPipeline nightly { stage a { 1 } } -Hook $hooks -ErrorAction $_ -ErrorVariable errors -WarningVariable warnings -WarningAction SilentlyContinue
        $result.Status | Should -Be 'Completed'
        $seen | Should -Be 'last'
        $warnings | Should -HaveCount 5
        $warnings | Should -BeLike 'The hook BeforeStage of * failed and was passed over: *the hook broke*'
        $errors.Where({ $_ -is [Management.Automation.ErrorRecord] -and "$_" -notlike '*the hook broke*' }) | Should -BeNullOrEmpty
    }

    It 'are not fired for stages that are skipped, disabled or not run' {
        $fail = $true
        $null = Invoke-CheckpointPipeline nightly -Hook (New-Recorder) -ErrorAction SilentlyContinue { stage a { 1 }; stage b { if ($fail) { throw 'no' } } -DependsOn a; stage c { 3 } -DependsOn b; stage d { 4 } -Disabled }
        $events.Stage.Where({ $_ }) | Select-Object -Unique | Should -Be 'a', 'b'
        $events.Clear()
        $fail = $false
        $null = Invoke-CheckpointPipeline nightly -Hook (New-Recorder) { stage a { 1 }; stage b { if ($fail) { throw 'no' } } -DependsOn a; stage c { 3 } -DependsOn b; stage d { 4 } -Disabled }
        $events | ForEach-Object { "$_" } | Should -Be 'BeforePipeline nightly', 'BeforeStage b', 'AfterStage b', 'BeforeStage c', 'AfterStage c', 'AfterPipeline nightly'
    }

    It 'are not fired, none of them, for a pipeline that cannot be run' {
        { Invoke-CheckpointPipeline nightly -Hook (New-Recorder) { stage a { 1 } -DependsOn b } } | Should -Throw -ErrorId 'InvalidPipeline,*'
        $events | Should -BeNullOrEmpty
    }

    It 'give nothing to the output and see the event as $_ and as their first argument' {
        $result = Invoke-CheckpointPipeline nightly { stage a { 1 } } -Hook @{ BeforeStage = { param($e) $seen.Add("$($e.Hook) $($_.Stage)"); 'noise' } }
        $result | Should -HaveCount 1
        $seen | Should -Be 'BeforeStage a'
    }

    It 'may be objects: of a class, whose methods are called, and one that throws is a warning' {
        $spy = [SpyHook]::new()
        $first = $true
        $null = Invoke-CheckpointPipeline nightly -Hook $spy -WarningVariable warnings -WarningAction SilentlyContinue { stage a { if ($_.Attempt -eq 1) { throw 'no' } } -Retry 1 -RetryDelay 00:00:00.01 }
        $spy.Seen | Should -Be 'BeforePipeline nightly', 'AfterStage a'
        "$warnings" | Should -BeLike '*The hook OnRetry *passed over: the spy fell ill*'
    }

    It 'may be objects with <How>' -ForEach @(
        @{ How = 'script blocks as properties'; Make = { [pscustomobject]@{ beforestage = { $seen.Add("custom $($_.Stage)") } } } }
        @{ How = 'a script property that gives a script block'; Make = { [pscustomobject]@{ A = 1 } | Add-Member -PassThru ScriptProperty BeforeStage { { $seen.Add("custom $($_.Stage)") } } } }
        @{ How = 'a script method'; Make = { [pscustomobject]@{ A = 1 } | Add-Member -PassThru ScriptMethod BeforeStage { $seen.Add("custom $($args[0].Stage)") } } }
        @{ How = 'an ordered table'; Make = { [ordered]@{ BEFORESTAGE = { $seen.Add("custom $($_.Stage)") } } } }
    ) {
        $null = Invoke-CheckpointPipeline nightly { stage a { 1 } } -Hook (& $Make)
        $seen | Should -Be 'custom a'
    }

    It 'that cannot be called are an error before anything is done: <How>' -ForEach @(
        @{ How = 'another name'; Hook = @{ BeforeStages = { } }; Says = "*'BeforeStages'*BeforeStage, AfterStage*" }
        @{ How = 'no script block'; Hook = @{ BeforeStage = 'text' }; Says = "*'BeforeStage'*" }
        @{ How = 'an object without any'; Hook = [pscustomobject]@{ A = 1 }; Says = '*has none of BeforePipeline*' }
        @{ How = 'nothing'; Hook = @($null); Says = '*' }
    ) {
        { Invoke-CheckpointPipeline nightly -Hook $Hook { stage a { $seen.Add('ran') } } } | Should -Throw $Says
        $seen | Should -BeNullOrEmpty
    }

    It 'do not write the checkpoint: where that fails the run fails, whatever the hooks do' -Tag Files {
        $file = Join-Path $TestDrive 'a-file'
        Set-Content $file 'in the way'
        { Invoke-CheckpointPipeline nightly -Store $file -Hook (New-Recorder) { stage a { 1 } } } | Should -Throw -ErrorId 'StoreUnavailable,*'

        $block = { Remove-Item -Recurse -Force (Get-CheckpointContext).Store; Set-Content (Get-CheckpointContext).Store 'in the way' }
        { Invoke-CheckpointPipeline nightly -Hook (New-Recorder) -WarningAction SilentlyContinue { stage a { & $block } } } | Should -Throw -ErrorId 'StoreUnavailable,*'
        $events.Hook | Should -Be 'BeforePipeline', 'BeforeStage', 'OnStageFailure', 'AfterStage', 'AfterPipeline'
        $events[3].Status | Should -Be 'Failed'
        $events[3].Error.Message | Should -BeLike "*'a'*failed in the store*"
        $events[4].Status | Should -Be 'Failed'
    }
}
