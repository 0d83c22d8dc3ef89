using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Checkpoint.Tests;

/// <summary>What OpenTelemetry sees under the name Checkpoint. about_Checkpoint lists these names: change both.</summary>
public sealed class DiagnosticsTests : PipelineTest
{
    // Other tests run beside these and are heard too.
    private readonly string _pipeline = "observed-" + Guid.NewGuid().ToString("N");
    private readonly List<Activity> _activities = [];
    private readonly List<(string Name, string? Unit, double Value, Dictionary<string, object?> Tags)> _measures = [];

    [Fact]
    public async Task A_run_is_an_activity_with_its_stages_below_it_and_their_saves_below_those()
    {
        using (Listen())
            await Run("a b:a", Observed);
        Assert.Equal(["save a", "stage a", "save b", "stage b", "run " + _pipeline], _activities.Select(a => a.DisplayName));
        var run = _activities[^1];
        foreach (var stage in _activities.Where(a => a.DisplayName.StartsWith("stage", StringComparison.Ordinal)))
            Assert.Equal(run.SpanId, stage.ParentSpanId);
        Assert.Equal(_activities[1].SpanId, _activities[0].ParentSpanId);
        Assert.All(_activities, a => Assert.Equal(("Checkpoint", ActivityStatusCode.Unset, ActivityKind.Internal), (a.Source.Name, a.Status, a.Kind)));
        Assert.Equal($"checkpoint.pipeline={_pipeline} checkpoint.run=7 checkpoint.status=completed checkpoint.attempts=1", Tags(run));
        Assert.Equal($"checkpoint.pipeline={_pipeline} checkpoint.run=7 checkpoint.stage=a checkpoint.attempts=1 checkpoint.status=completed", Tags(_activities[1]));
        Assert.Equal($"checkpoint.pipeline={_pipeline} checkpoint.run=7 checkpoint.stage=a", Tags(_activities[0]));
        Assert.Equal(typeof(CheckpointInfo).Assembly.GetName().Version!.ToString(3), run.Source.Version);
    }

    [Fact]
    public async Task What_a_stage_does_is_below_its_activity()
    {
        var seen = new List<string?>();
        OnRun = _ => seen.Add(Activity.Current?.DisplayName);
        using (Listen())
            await Run("a", Observed);
        Assert.Equal(["stage a"], seen);
    }

    [Fact]
    public async Task A_failure_is_told_with_its_type_and_so_are_retries()
    {
        Failing.Add("a");
        using (Listen())
            await Run("a", r => Observed(r) with { Stages = [.. r.Stages.Select(s => s with { Retry = new RetryPolicy { Retry = 2, Delay = TimeSpan.Zero } })] });
        var (stage, run) = (_activities[0], _activities[1]);
        Assert.Equal((ActivityStatusCode.Error, "a broke"), (stage.Status, stage.StatusDescription));
        Assert.Equal((ActivityStatusCode.Error, "a broke"), (run.Status, run.StatusDescription));
        Assert.Equal($"checkpoint.pipeline={_pipeline} checkpoint.run=7 checkpoint.stage=a checkpoint.attempts=3 checkpoint.status=failed error.type=System.InvalidOperationException", Tags(stage));
        Assert.Equal(["retry", "retry", "exception"], stage.Events.Select(e => e.Name));
        Assert.Equal("a broke", stage.Events.Last().Tags.Single(t => t.Key == "exception.message").Value);
        Assert.Equal(["System.InvalidOperationException"], stage.Events.First().Tags.Where(t => t.Key == "error.type").Select(t => t.Value));
        Assert.Equal(
            [
                $"checkpoint.stage.retries {{retry}} 1 checkpoint.pipeline={_pipeline} checkpoint.stage=a error.type=System.InvalidOperationException",
                $"checkpoint.stage.retries {{retry}} 1 checkpoint.pipeline={_pipeline} checkpoint.stage=a error.type=System.InvalidOperationException",
                $"checkpoint.stage.duration s 0 checkpoint.pipeline={_pipeline} checkpoint.stage=a error.type=System.InvalidOperationException checkpoint.status=failed",
                $"checkpoint.run.duration s 0 checkpoint.pipeline={_pipeline} error.type=System.InvalidOperationException checkpoint.status=failed",
            ],
            Measures());
    }

    [Fact]
    public async Task Runs_stages_and_saves_are_measured_in_seconds()
    {
        OnRun = _ => Time.Advance(TimeSpan.FromSeconds(90));
        using (Listen())
            await Run("a", Observed);
        Assert.Equal(
            [
                $"checkpoint.save.duration s 0 checkpoint.pipeline={_pipeline} checkpoint.stage=a",
                $"checkpoint.stage.duration s 90 checkpoint.pipeline={_pipeline} checkpoint.stage=a checkpoint.status=completed",
                $"checkpoint.run.duration s 90 checkpoint.pipeline={_pipeline} checkpoint.status=completed",
            ],
            Measures());
    }

    [Fact]
    public async Task A_save_that_fails_is_told_with_the_id_of_its_error()
    {
        await Save(step: 1, stage: new StageId(_pipeline, null, "a"));
        using (Listen())
            await Assert.ThrowsAsync<CheckpointException>(async () => await Engine.SaveAsync(Draft(step: 1, stage: new StageId(_pipeline, null, "a")), new RetentionPolicy(), default));
        var save = Assert.Single(_activities);
        Assert.Equal(("save a", ActivityStatusCode.Error), (save.DisplayName, save.Status));
        Assert.Equal($"checkpoint.pipeline={_pipeline} checkpoint.stage=a error.type=CheckpointExists", Tags(save));
        Assert.Equal([$"checkpoint.save.duration s 0 checkpoint.pipeline={_pipeline} checkpoint.stage=a error.type=CheckpointExists"], Measures());
    }

    [Fact]
    public async Task A_stage_whose_result_cannot_be_saved_is_a_failure_too()
    {
        OnRun = _ =>
        {
            Directory.Delete(Root, recursive: true);
            Temp.Write("store", "a file in the store's place");
        };
        using (Listen())
            await Assert.ThrowsAsync<CheckpointException>(() => Run("a", Observed));
        Assert.Equal(["save a", "stage a", "run " + _pipeline], _activities.Select(a => a.DisplayName));
        Assert.All(_activities, a => Assert.Equal(ActivityStatusCode.Error, a.Status));
        Assert.Equal($"checkpoint.stage.duration s 0 checkpoint.pipeline={_pipeline} checkpoint.stage=a error.type=StoreUnavailable checkpoint.status=failed", Measures()[1]);
    }

    [Fact]
    public async Task A_stopped_run_is_interrupted()
    {
        using var source = new CancellationTokenSource();
        OnRun = _ => source.Cancel();
        using (Listen())
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Execute("a", Observed, source.Token));
        Assert.Equal($"checkpoint.pipeline={_pipeline} checkpoint.run=7 checkpoint.status=interrupted checkpoint.attempts=1", Tags(_activities[^1]));
        Assert.Equal([$"checkpoint.run.duration s 0 checkpoint.pipeline={_pipeline} checkpoint.status=interrupted"], Measures());
    }

    [Fact]
    public async Task Changes_of_circuit_breakers_are_counted()
    {
        Failing.Add("a");
        using (Listen())
            await Run("a", r => Observed(r) with { Stages = [.. r.Stages.Select(s => s with { Guard = new CircuitBreaker { Name = "api", FailureThreshold = 1 } })] });
        Assert.Equal($"checkpoint.circuit_breaker.changes {{change}} 1 checkpoint.pipeline={_pipeline} checkpoint.circuit_breaker.name=api checkpoint.circuit_breaker.state=open", Measures()[0]);
    }

    private static string Tags(Activity activity) => Text(activity.TagObjects.Where(t => t.Value is not null));

    private static string Text(IEnumerable<KeyValuePair<string, object?>> tags) => string.Join(' ', tags.Select(t => $"{t.Key}={t.Value}"));

    private PipelineRequest Observed(PipelineRequest request) => request with { Pipeline = _pipeline, Run = "7" };

    private string[] Measures() => [.. _measures.Select(m => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{m.Name} {m.Unit} {m.Value} {Text(m.Tags)}"))];

    private Listening Listen()
    {
        var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Checkpoint",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (_pipeline.Equals(activity.GetTagItem("checkpoint.pipeline")))
                    _activities.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(activities);
        var meters = new MeterListener { InstrumentPublished = (instrument, listener) => { if (instrument.Meter.Name == "Checkpoint") listener.EnableMeasurementEvents(instrument); } };
        meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Measured(instrument, value, tags));
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Measured(instrument, value, tags));
        meters.Start();
        return new Listening(activities, meters);
    }

    private void Measured(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var known = new Dictionary<string, object?>(tags.ToArray());
        if (_pipeline.Equals(known.GetValueOrDefault("checkpoint.pipeline")))
            _measures.Add((instrument.Name, instrument.Unit, value, known));
    }

    private sealed class Listening(ActivityListener activities, MeterListener meters) : IDisposable
    {
        public void Dispose()
        {
            activities.Dispose();
            meters.Dispose();
        }
    }
}
