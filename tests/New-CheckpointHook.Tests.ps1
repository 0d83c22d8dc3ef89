BeforeAll { . $PSScriptRoot/Common.ps1 }

AfterAll { Set-CheckpointContext -Reset }

Describe 'New-CheckpointHook -Log' {
    BeforeEach {
        Set-CheckpointContext -Reset -Store (New-TestStore) -Pipeline nightly -Run 7 -Keep $null
        $log = Join-Path (New-TestFolder) 'logs/run.log'
    }

    It 'appends a line of text for each event, with the time in UTC' {
        $hook = New-CheckpointHook -Log $log
        $before = [datetime]::UtcNow.AddSeconds(-1)
        $null = Invoke-CheckpointPipeline nightly -Hook $hook { stage a { 1 } }
        $lines = Get-Content $log
        $lines -replace '^\S+ ' -replace 'duration=[\d.]+s', 'duration=#' | Should -Be @(
            'BeforePipeline nightly/7'
            'BeforeStage nightly/7/a: there is no checkpoint'
            'AfterStage nightly/7/a Completed attempt=1 duration=#'
            'AfterPipeline nightly/7 Completed duration=#'
        )
        foreach ($line in $lines) {
            $line | Should -Match '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z '
            $time = [datetime]::Parse(($line -split ' ')[0], [cultureinfo]::InvariantCulture, 'AdjustToUniversal')
            $time | Should -BeGreaterThan $before
            $time | Should -BeLessOrEqual ([datetime]::UtcNow)
        }
        $null = Invoke-CheckpointPipeline nightly -Hook $hook -Run 8 { stage a { 1 } }
        Get-Content $log | Should -HaveCount 8
    }

    It 'writes JSON lines that programs can read, with -Format Json' {
        $breaker = New-CheckpointCircuitBreaker -FailureThreshold 2 -OpenFor 1h
        $null = Invoke-CheckpointPipeline nightly -Hook (New-CheckpointHook $log -Format Json) -ErrorAction SilentlyContinue -WarningAction SilentlyContinue {
            stage a { throw [TimeoutException]::new("two`nlines, `"quoted`" ü") } -Retry 1 -RetryDelay 00:00:00.25 -CircuitBreaker $breaker
        }
        $events = Get-Content $log | ForEach-Object { ConvertFrom-Json $_ -DateKind Utc }
        $events.hook | Should -Be 'BeforePipeline', 'BeforeStage', 'OnRetry', 'OnCircuitBreaker', 'OnStageFailure', 'AfterStage', 'AfterPipeline'
        $events.pipeline | Select-Object -Unique | Should -Be 'nightly'
        $events.run | Select-Object -Unique | Should -Be '7'
        $retry, $change, $failure = $events[2..4]
        "$($retry.stage) $($retry.attempt) $($retry.delaySeconds) $($retry.errorType)" | Should -Be 'a 1 0.25 System.TimeoutException'
        $retry.error | Should -Be "two`nlines, `"quoted`" ü"
        "$($change.circuitBreaker) $($change.status) $($change.stage)" | Should -Be 'default Open a'
        "$($failure.status) $($failure.attempt)" | Should -Be 'Failed 2'
        $failure.durationSeconds | Should -BeGreaterThan 0.24
        $events[-1].status | Should -Be 'Failed'
        $events.time.Kind | Select-Object -Unique | Should -Be 'Utc'
    }

    It 'writes one line an event whatever is in a message' {
        $null = Invoke-CheckpointPipeline nightly -Hook (New-CheckpointHook -Log $log) -ErrorAction SilentlyContinue { stage a { throw "two`r`nlines$([char] 0x2028)and`tmore" } }
        $lines = [IO.File]::ReadAllText($log).TrimEnd("`n") -split '[\r\n\u2028]'
        $lines | Should -HaveCount 5
        $lines[2] | Should -BeLike '*OnStageFailure nightly/7/a Failed attempt=1 *: two  lines and more'
    }

    It 'has lost nothing when the process is killed in the middle of a stage' {
        $child = Start-Pwsh {
            param($Store, $Log)
            Invoke-CheckpointPipeline nightly -Store $Store -Hook (New-CheckpointHook -Log $Log) { stage a { 1 }; stage b { $null = New-Item "$Log.signal"; Start-Sleep 600 } }
        } (New-TestStore), $log
        Wait-Until { Test-Path "$log.signal" }
        $null = Stop-Pwsh $child
        (Get-Content $log).ForEach({ ($_ -split ' ')[1] }) | Should -Be 'BeforePipeline', 'BeforeStage', 'AfterStage', 'BeforeStage'
    }

    It 'lets several processes write to one file, and no line is lost or mixed' {
        $children = 1..3 | ForEach-Object {
            Start-Pwsh {
                param($Store, $Log, $Number)
                1..20 | ForEach-Object { $null = Invoke-CheckpointPipeline "p$Number" -Store $Store -Run $_ -Hook (New-CheckpointHook -Log $Log -Format Json) { stage a { 1 } } }
            } (New-TestStore), $log, $_
        }
        $children | ForEach-Object { (Wait-Pwsh $_).ErrorOutput | Should -BeNullOrEmpty }
        (Get-Content $log | ConvertFrom-Json | Group-Object pipeline).ForEach({ $_.Count }) | Should -Be 80, 80, 80
    }

    It 'that cannot be written is a warning, and the work goes on' {
        $folder = New-TestFolder
        $result = Invoke-CheckpointPipeline nightly -Hook (New-CheckpointHook -Log $folder) -WarningVariable warnings -WarningAction SilentlyContinue { stage a { 1 } }
        $result.Status | Should -Be 'Completed'
        $warnings | Should -HaveCount 4
        "$($warnings[0])" | Should -BeLike 'The hook BeforePipeline * failed and was passed over: *'
    }

    It 'takes a path from the current location, and keeps to it' {
        Push-Location (New-TestFolder)
        try {
            $hook = New-CheckpointHook -Log ./here.log
            $hook.Path | Should -Be (Join-Path $PWD.ProviderPath 'here.log')
            "$($hook.Format)" | Should -Be 'Text'
        }
        finally {
            Pop-Location
        }
        { New-CheckpointHook -Log '' } | Should -Throw -ErrorId 'InvalidArgument,*'
        { New-CheckpointHook -Log env:x } | Should -Throw -ErrorId 'FileUnreadable,*'
    }

    It 'tells of a run that is stopped by Ctrl+C' {
        $shell = [powershell]::Create()
        $null = $shell.AddScript("Import-Module '$ModulePath'; Invoke-CheckpointPipeline nightly -Store '$(New-TestStore)' -Hook (New-CheckpointHook -Log '$log') { stage a { `$null = New-Item '$log.signal'; Start-Sleep 600 } }")
        $null = $shell.BeginInvoke()
        Wait-Until { Test-Path "$log.signal" }
        $shell.Stop()
        $shell.Dispose()
        (Get-Content $log)[-1] | Should -BeLike '* AfterPipeline nightly/* Interrupted duration=*'
    }
}

Describe 'New-CheckpointHook -Metrics' {
    BeforeEach { Set-CheckpointContext -Reset -Store (New-TestStore) -Pipeline nightly -Run '' -Keep $null }

    It 'gives durations, attempts, retries and status of each stage, and totals, when the run is over' {
        $metrics = New-CheckpointHook -Metrics
        $result = Invoke-CheckpointPipeline nightly -Hook $metrics -ContinueOnError -ErrorAction SilentlyContinue -WarningAction SilentlyContinue {
            stage a { Start-Sleep -Milliseconds 60 }
            stage b { if ($_.Attempt -lt 3) { throw 'not yet' } } -Retry 5 -RetryDelay 00:00:00.01
            stage c { throw 'never' } -Retry 1 -RetryDelay 00:00:00.01
        }
        $metrics.Stages.ForEach({ "$($_.Name) $($_.Status) $($_.Attempts) $($_.Retries) $($_.Error)" }) | Should -Be 'a Completed 1 0 ', 'b Completed 3 2 ', 'c Failed 2 1 never'
        $metrics.Stages[0].Duration.TotalMilliseconds | Should -BeGreaterOrEqual 60
        "$($metrics.Pipeline) $($metrics.Status) $($metrics.Completed) $($metrics.Failed) $($metrics.Skipped) $($metrics.Attempts) $($metrics.Retries)" | Should -Be 'nightly Partial 2 1 0 6 3'
        $metrics.Run | Should -Be $result.Run
        $metrics.Duration | Should -Be $result.Duration
        $metrics.StageDuration.Ticks | Should -Be (($metrics.Stages.Duration.Ticks | Measure-Object -Sum).Sum)
        $metrics.Duration | Should -BeGreaterOrEqual $metrics.StageDuration
    }

    It 'begins at zero at each run, and counts what was skipped' {
        $metrics = New-CheckpointHook -Metrics
        $broken = $true
        $pipeline = { stage a { 1 }; stage b { if ($broken) { throw 'no' } } -DependsOn a -Retry 1 -RetryDelay 00:00:00.01 }
        $null = Invoke-CheckpointPipeline nightly $pipeline -Hook $metrics -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
        "$($metrics.Stages.Name) $($metrics.Retries) $($metrics.Failed) $($metrics.Skipped)" | Should -Be 'a b 1 1 0'
        $broken = $false
        $null = Invoke-CheckpointPipeline nightly $pipeline -Hook $metrics
        "$($metrics.Stages.Name) $($metrics.Retries) $($metrics.Failed) $($metrics.Skipped) $($metrics.Status)" | Should -Be 'b 0 0 1 Completed'
    }

    It 'can be read while the run goes on, and shows nothing before the first' {
        $metrics = New-CheckpointHook -Metrics
        "$($metrics.Status)$($metrics.Pipeline)$($metrics.Stages.Count)" | Should -Be '0'
        $null = Invoke-CheckpointPipeline nightly -Hook $metrics { stage a { 1 }; stage b { "$($metrics.Status): $($metrics.Stages.ForEach({ "$_" }) -join ', ')" } -DependsOn a } -OutVariable result
        Restore-Checkpoint b -Run $result.Run | Should -Be 'Running: a: Completed, b: Running'
    }

    It 'counts the changes of circuit breakers' {
        $metrics = New-CheckpointHook -Metrics
        $breaker = New-CheckpointCircuitBreaker -FailureThreshold 1 -OpenFor 1h
        $null = Invoke-CheckpointPipeline nightly -Hook $metrics -ErrorAction SilentlyContinue { stage a { throw 'down' } -CircuitBreaker $breaker }
        $metrics.CircuitChanges | Should -Be 1
    }

    It 'goes with a log and hooks of the user' {
        $log = Join-Path (New-TestFolder) 'run.log'
        $seen = [Collections.Generic.List[string]]::new()
        $null = Invoke-CheckpointPipeline nightly { stage a { 1 } } -Hook ($metrics = New-CheckpointHook -Metrics), (New-CheckpointHook $log), @{ AfterStage = { $seen.Add($_.Stage) } }
        "$($metrics.Completed) $(@(Get-Content $log).Count) $seen" | Should -Be '1 4 a'
    }

    It 'is shown as a table, and so are its stages and a log' {
        $metrics = New-CheckpointHook -Metrics
        $null = Invoke-CheckpointPipeline nightly { stage a { 1 } } -Hook $metrics
        $metrics | Out-String -Width 200 | Should -Match 'Pipeline +Status +Completed +Failed +Skipped +Retries +Duration +Run'
        $metrics.Stages | Out-String | Should -Match 'Name +Status +Attempts +Retries +Duration +Error'
        New-CheckpointHook a.log | Out-String -Width 200 | Should -Match 'Format +Path'
    }

    It 'is one or the other' {
        { New-CheckpointHook -Log a.log -Metrics } | Should -Throw -ErrorId 'AmbiguousParameterSet,*'
    }
}
