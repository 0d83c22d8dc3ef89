# What a listener in a PowerShell process hears under the name Checkpoint, as OpenTelemetry would.

BeforeAll {
    . $PSScriptRoot/Common.ps1

    # Measurements come as spans, which a script block cannot take.
    Add-Type -ErrorAction Ignore @'
using System.Collections.Generic;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Linq;
namespace CheckpointTest {
    public sealed class Listener : System.IDisposable {
        private readonly ActivityListener _activities;
        private readonly MeterListener _meters;
        public List<Activity> Activities { get; } = new();
        public List<string> Measures { get; } = new();
        public Listener() {
            _activities = new ActivityListener {
                ShouldListenTo = s => s.Name == "Checkpoint",
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = a => { lock (Activities) Activities.Add(a); },
            };
            ActivitySource.AddActivityListener(_activities);
            _meters = new MeterListener { InstrumentPublished = (i, l) => { if (i.Meter.Name == "Checkpoint") l.EnableMeasurementEvents(i); } };
            _meters.SetMeasurementEventCallback<double>((i, v, t, _) => Add(i, v, t.ToArray()));
            _meters.SetMeasurementEventCallback<long>((i, v, t, _) => Add(i, v, t.ToArray()));
            _meters.Start();
        }
        private void Add(Instrument i, double v, KeyValuePair<string, object>[] tags) {
            lock (Measures) Measures.Add(i.Name + " " + i.Unit + (i.Unit == "s" ? v >= 0 ? " +" : " -" : " " + v) + " " + string.Join(" ", tags.Select(t => t.Key + "=" + t.Value)));
        }
        public void Dispose() { _activities.Dispose(); _meters.Dispose(); }
    }
}
'@

    function Get-Tag([Diagnostics.Activity] $Activity) { $Activity.TagObjects | Where-Object { $null -ne $_.Value } | ForEach-Object { "$($_.Key)=$($_.Value)" } }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Telemetry' {
    BeforeEach {
        Set-CheckpointContext -Reset -Store (New-TestStore) -Pipeline nightly -Run '' -Keep $null
        $listener = [CheckpointTest.Listener]::new()
    }

    AfterEach { $listener.Dispose() }

    It 'has a run with its stages below it, their saves below those, and what the blocks start below their stage' {
        $null = Invoke-CheckpointPipeline nightly -Run 7 { stage a { [Diagnostics.Activity]::Current.DisplayName }; stage b { [Diagnostics.Activity]::Current.DisplayName } -DependsOn a -Timeout 1m }
        $listener.Activities.DisplayName | Should -Be 'save a', 'stage a', 'save b', 'stage b', 'run nightly'
        $save, $stage, $null, $second, $run = $listener.Activities
        $save.ParentSpanId | Should -Be $stage.SpanId
        $stage.ParentSpanId, $second.ParentSpanId | Should -Be $run.SpanId, $run.SpanId
        Restore-Checkpoint a -Run 7 | Should -Be 'stage a'
        Restore-Checkpoint b -Run 7 | Should -Be 'stage b'
        Get-Tag $run | Should -Be 'checkpoint.pipeline=nightly', 'checkpoint.run=7', 'checkpoint.status=completed', 'checkpoint.attempts=1'
        Get-Tag $stage | Should -Be 'checkpoint.pipeline=nightly', 'checkpoint.run=7', 'checkpoint.stage=a', 'checkpoint.attempts=1', 'checkpoint.status=completed'
        $listener.Activities.Status | Select-Object -Unique | Should -Be 'Unset'
        [Diagnostics.Activity]::Current | Should -BeNullOrEmpty
        $listener.Measures | Should -Be @(
            'checkpoint.save.duration s + checkpoint.pipeline=nightly checkpoint.stage=a'
            'checkpoint.stage.duration s + checkpoint.pipeline=nightly checkpoint.stage=a checkpoint.status=completed'
            'checkpoint.save.duration s + checkpoint.pipeline=nightly checkpoint.stage=b'
            'checkpoint.stage.duration s + checkpoint.pipeline=nightly checkpoint.stage=b checkpoint.status=completed'
            'checkpoint.run.duration s + checkpoint.pipeline=nightly checkpoint.status=completed'
        )
    }

    It 'tells a failure with its type and message, and the retry before it' {
        $null = Invoke-CheckpointPipeline nightly -Run 7 -ErrorAction SilentlyContinue -WarningAction SilentlyContinue { stage a { throw [TimeoutException]::new('down') } -Retry 1 -RetryDelay 0.01s }
        $stage, $run = $listener.Activities
        "$($stage.Status) $($stage.StatusDescription)", "$($run.Status) $($run.StatusDescription)" | Should -Be 'Error down', 'Error down'
        Get-Tag $stage | Should -Contain 'error.type=System.TimeoutException'
        Get-Tag $run | Should -Be 'checkpoint.pipeline=nightly', 'checkpoint.run=7', 'checkpoint.status=failed', 'checkpoint.attempts=1', 'error.type=System.TimeoutException'
        $stage.Events.Name | Should -Be 'retry', 'exception'
        $listener.Measures | Should -Contain 'checkpoint.stage.retries {retry} 1 checkpoint.pipeline=nightly checkpoint.stage=a error.type=System.TimeoutException'
        $listener.Measures[-1] | Should -Be 'checkpoint.run.duration s + checkpoint.pipeline=nightly error.type=System.TimeoutException checkpoint.status=failed'
    }

    It 'has the stages of Invoke-CheckpointStage and Invoke-CheckpointItem, and not those that are complete' {
        foreach ($time in 1, 2) {
            $null = Invoke-CheckpointStage a { 1 }
            1..3 | Invoke-CheckpointItem b { }
        }
        $listener.Activities.DisplayName | Should -Be 'save a', 'stage a', 'save b', 'stage b'
        $listener.Activities[2].ParentSpanId | Should -Be $listener.Activities[3].SpanId
        { 4 | Invoke-CheckpointItem b { throw [TimeoutException]::new('down') } } | Should -Throw 'down'
        "$($listener.Activities[-1].DisplayName) $($listener.Activities[-1].Status)" | Should -Be 'stage b Error'
        Get-Tag $listener.Activities[-1] | Should -Contain 'error.type=System.TimeoutException'
    }

    It 'has saves, plain and behind the work' {
        Save-Checkpoint a 1
        Save-Checkpoint a 2 -Async
        Wait-Checkpoint -Pending
        { Save-Checkpoint a 3 -Step 1 } | Should -Throw
        $listener.Activities.DisplayName | Should -Be 'save a', 'save a', 'save a'
        $listener.Activities.Status | Should -Be 'Unset', 'Unset', 'Error'
        $listener.Measures[-1] | Should -Be 'checkpoint.save.duration s + checkpoint.pipeline=nightly checkpoint.stage=a error.type=CheckpointExists'
    }

    It 'is listed in about_Checkpoint, every name of it' {
        $text = Get-Content "$RepositoryRoot/docs/en-US/about_Checkpoint.md" -Raw
        $breaker = New-CheckpointCircuitBreaker -FailureThreshold 1
        $null = Invoke-CheckpointPipeline nightly -Run 7 -ErrorAction SilentlyContinue -WarningAction SilentlyContinue -ContinueOnError { stage a { 1 }; stage b { throw 'x' } -Retry 1 -RetryDelay 0.01s -CircuitBreaker $breaker }
        $names = @($listener.Measures -split ' ' -match '^checkpoint\.' -replace '=.*') + @($listener.Activities.TagObjects.Key) + @($listener.Activities.Events.Name)
        foreach ($name in $names | Select-Object -Unique) { $text | Should -Match ([regex]::Escape($name)) }
        ($names | Select-Object -Unique).Count | Should -BeGreaterThan 12
    }
}
