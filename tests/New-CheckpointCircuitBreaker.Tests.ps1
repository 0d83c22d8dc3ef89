BeforeAll { . $PSScriptRoot/Common.ps1 }

AfterAll { Set-CheckpointContext -Reset }

Describe 'New-CheckpointCircuitBreaker' {
    BeforeEach {
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store -Pipeline nightly -Run '' -Keep $null
        $calls = [Collections.Generic.List[string]]::new()
    }

    It 'has the thresholds 5 and 2 and 60 seconds unless told otherwise' {
        $breaker = New-CheckpointCircuitBreaker
        "$breaker $($breaker.FailureThreshold) $($breaker.SuccessThreshold) $($breaker.OpenFor)" | Should -Be 'default 5 2 00:01:00'
        $breaker = New-CheckpointCircuitBreaker api -FailureThreshold 3 -SuccessThreshold 1 -OpenFor 90s
        $breaker | Out-String | Should -Match 'Name +FailureThreshold +SuccessThreshold +OpenFor'
        "$($breaker.Name) $($breaker.FailureThreshold) $($breaker.SuccessThreshold) $($breaker.OpenFor)" | Should -Be 'api 3 1 00:01:30'
    }

    It 'refuses <_>' -ForEach '-FailureThreshold 0', '-SuccessThreshold 0', '-OpenFor 0s', '-OpenFor 60', '-Name ""', '-Name "a`nb"' {
        { & ([scriptblock]::Create("New-CheckpointCircuitBreaker $_")) } | Should -Throw
    }

    It 'is shared by stages: what fails in one is not called by the next' {
        $breaker = New-CheckpointCircuitBreaker api -FailureThreshold 2 -OpenFor 1h
        $result = Invoke-CheckpointPipeline nightly -ContinueOnError -ErrorAction SilentlyContinue {
            stage a { $calls.Add('a'); throw 'down' } -CircuitBreaker $breaker
            stage b { $calls.Add('b'); throw 'down' } -CircuitBreaker $breaker
            stage c { $calls.Add('c'); 3 } -CircuitBreaker $breaker
            stage d { $calls.Add('d'); 4 }
        }
        $calls | Should -Be 'a', 'b', 'd'
        $result.Stages.Status | Should -Be 'Failed', 'Failed', 'Failed', 'Completed'
        $result.Stages[2].Error | Should -Match "^Circuit breaker 'api' of pipeline 'nightly' is open since \S+ \S+Z until \S+ \S+Z; the last failure was: down\."
    }

    It 'fails a stage at once, with an error of its own that names the breaker, since when and until when' {
        $breaker = New-CheckpointCircuitBreaker api -FailureThreshold 1 -OpenFor 1h
        { Invoke-CheckpointStage a { throw 'down' } -CircuitBreaker $breaker } | Should -Throw 'down'
        $failure = { Invoke-CheckpointStage a { $calls.Add('a') } -CircuitBreaker $breaker } | Should -Throw -PassThru -ErrorId 'CircuitOpen,*'
        $failure.CategoryInfo.Category | Should -Be 'ResourceUnavailable'
        $failure.Exception.Message | Should -Match "'api' of pipeline 'nightly' is open since .* until "
        $failure.TargetObject | Should -Be 'a'
        $calls | Should -BeNullOrEmpty
    }

    It 'opens, half-opens and closes; each change is told on the information stream' {
        $breaker = New-CheckpointCircuitBreaker api -FailureThreshold 1 -SuccessThreshold 2 -OpenFor 0.2s
        $output = Invoke-CheckpointPipeline nightly -InformationVariable told -WarningAction SilentlyContinue {
            stage a { $calls.Add('a'); if ($calls.Count -eq 1) { throw 'down' } } -CircuitBreaker $breaker -Retry 50 -RetryDelay 0.05s -RetryBackoff 1
            stage b { $calls.Add('b') } -CircuitBreaker $breaker
            stage c { $calls.Add('c') } -CircuitBreaker $breaker
        }
        $output.Status | Should -Be 'Completed'
        $calls | Should -Be 'a', 'a', 'b', 'c'
        $lines = $told.Where({ "$_" -like 'Circuit breaker*' })
        $lines | ForEach-Object { "$_" } | Should -Be @(
            'Circuit breaker open: api: 1 call failed, the last with: down'
            'Circuit breaker half-open: api: it was open long enough, a call is made for trial'
            'Circuit breaker closed: api: 2 trials in a row succeeded'
        )
        $lines[0].Tags | Should -Be 'Checkpoint'
    }

    It 'is retried like any other failure, and not where -RetryOn names others' {
        $breaker = New-CheckpointCircuitBreaker api -FailureThreshold 1 -OpenFor 1h
        { Invoke-CheckpointStage a { throw 'down' } -CircuitBreaker $breaker } | Should -Throw 'down'
        $retry = @{ Retry = 2; RetryDelay = '0.01s'; CircuitBreaker = $breaker }
        $retries = foreach ($types in @{}, @{ RetryOn = 'CircuitOpenException' }, @{ RetryOn = 'TimeoutException' }) {
            try {
                Invoke-CheckpointStage a { 1 } @retry @types -WarningVariable warnings -WarningAction SilentlyContinue
            }
            catch {
                $_.FullyQualifiedErrorId | Should -BeLike 'CircuitOpen,*'
                $warnings.Count
            }
        }
        $retries | Should -Be 2, 2, 0
    }

    It 'is asked only where the stage has to run' {
        $null = Invoke-CheckpointStage a { 1 }
        $breaker = New-CheckpointCircuitBreaker api -FailureThreshold 1 -OpenFor 1h
        { Invoke-CheckpointStage b { throw 'down' } -CircuitBreaker $breaker } | Should -Throw 'down'
        Invoke-CheckpointStage a { 1 } -CircuitBreaker $breaker | Should -Be 1
    }

    It 'keeps its state when the process ends' {
        $fail = {
            param($Store)
            Invoke-CheckpointStage a { throw 'down' } -Store $Store -Pipeline nightly -CircuitBreaker (New-CheckpointCircuitBreaker api -FailureThreshold 2 -OpenFor 1h)
        }
        (Invoke-Pwsh $fail $store).ErrorOutput | Should -Match 'down'
        (Invoke-Pwsh $fail $store).ErrorOutput | Should -Match 'down'
        (Invoke-Pwsh $fail $store).ErrorOutput -replace '[\s|]+', ' ' | Should -Match "Circuit breaker 'api' of pipeline 'nightly' is open since"
    }

    It 'lets one of two processes make the trial, and the trial of one that was killed is free' {
        { Invoke-CheckpointStage a { throw 'down' } -CircuitBreaker (New-CheckpointCircuitBreaker api -FailureThreshold 1 -OpenFor 0.001s) } | Should -Throw 'down'
        $child = Start-Pwsh {
            param($Store)
            $breaker = New-CheckpointCircuitBreaker api -SuccessThreshold 1
            Invoke-CheckpointStage a { $null = New-Item "$env:TEST_PLACE/signal"; Start-Sleep 600 } -Store $Store -Pipeline nightly -CircuitBreaker $breaker
        } $store
        Wait-Until { Test-Path "$env:TEST_PLACE/signal" }
        $breaker = New-CheckpointCircuitBreaker api -SuccessThreshold 1
        $failure = { Invoke-CheckpointStage b { $calls.Add('b') } -CircuitBreaker $breaker } | Should -Throw -PassThru -ErrorId 'CircuitOpen,*'
        $failure.Exception.Message | Should -BeLike "*half-open since*another call is its trial (process $($child.Process.Id) of *"
        $calls | Should -BeNullOrEmpty
        $null = Stop-Pwsh $child
        Complete-Lease $store -Kind lease-breaker -Pipeline nightly -Name api
        $null = Invoke-CheckpointStage b { $calls.Add('b') } -CircuitBreaker $breaker -InformationVariable told
        $calls | Should -Be 'b'
        $told -join "`n" | Should -BeLike '*Circuit breaker closed: api: 1 trial succeeded*'
    }

    It 'is not counted against by a stage that is stopped' {
        $signal = "$env:TEST_PLACE/signal"
        $shell = [powershell]::Create()
        $null = $shell.AddScript("Import-Module '$ModulePath'; Invoke-CheckpointStage a { `$null = New-Item '$signal'; Start-Sleep 600 } -Store '$store' -Pipeline nightly -CircuitBreaker (New-CheckpointCircuitBreaker api -FailureThreshold 1)")
        $null = $shell.BeginInvoke()
        Wait-Until { Test-Path $signal }
        $shell.Stop()
        $shell.Dispose()
        Invoke-CheckpointStage a { 1 } -CircuitBreaker (New-CheckpointCircuitBreaker api) | Should -Be 1
    }

    It 'lies in the store as the page on the format says' -Tag Files {
        { Invoke-CheckpointStage a { throw 'down' } -CircuitBreaker (New-CheckpointCircuitBreaker 'My API' -FailureThreshold 1 -OpenFor 1h) } | Should -Throw 'down'
        $file = "$store/nightly/breakers/my api.json"
        $record = Get-Content $file -Raw | ConvertFrom-Json -DateKind Utc
        $record.PSObject.Properties.Name | Should -Be 'format', 'pipeline', 'name', 'state', 'changes', 'since', 'openUntil', 'failures', 'successes', 'lastError', 'checksum'
        "$($record.format) $($record.pipeline) $($record.name) $($record.state) $($record.changes) $($record.failures) $($record.successes) $($record.lastError)" | Should -Be '1 nightly My API open 1 0 0 down'
        ($record.openUntil - $record.since).TotalHours | Should -Be 1
        Remove-Item $file
        Invoke-CheckpointStage a { 1 } -CircuitBreaker (New-CheckpointCircuitBreaker 'My API') | Should -Be 1
        Get-Checkpoint | Should -HaveCount 1
    }
}
