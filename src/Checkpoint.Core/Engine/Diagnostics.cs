using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Checkpoint;

/// <summary>
/// Activities and metrics under the name <c>Checkpoint</c>, as System.Diagnostics has them, so that OpenTelemetry or dotnet-counters see runs, stages and saves
/// without any code of ours. about_Checkpoint lists the names.
/// </summary>
/// <remarks>
/// They follow OpenTelemetry (opentelemetry.io/docs/specs/semconv/general/naming and …/general/metrics, …/exceptions/exceptions-spans): lower case with points, durations in
/// seconds, <c>error.type</c> on failures alone, the status of an activity unset where it went well. A run's id is on activities and not on metrics, where each would be a series of its own.
/// </remarks>
internal static class Diagnostics
{
    public const string Name = "Checkpoint";

    private static readonly string? Version = typeof(Diagnostics).Assembly.GetName().Version?.ToString(3);
    private static readonly ActivitySource Source = new(Name, Version);
    private static readonly Meter Meter = new(Name, Version);
    private static readonly Histogram<double> SaveDuration = Meter.CreateHistogram<double>("checkpoint.save.duration", "s", "How long saves took.");
    private static readonly Histogram<double> StageDuration = Meter.CreateHistogram<double>("checkpoint.stage.duration", "s", "How long stages took, retries and pauses included.");
    private static readonly Histogram<double> RunDuration = Meter.CreateHistogram<double>("checkpoint.run.duration", "s", "How long executions of runs took.");
    private static readonly Counter<long> Retries = Meter.CreateCounter<long>("checkpoint.stage.retries", "{retry}", "How often a failed stage was tried again.");
    private static readonly Counter<long> CircuitChanges = Meter.CreateCounter<long>("checkpoint.circuit_breaker.changes", "{change}", "How often circuit breakers changed their state.");

    /// <summary>Starts an activity; null where nobody listens.</summary>
    public static Activity? Start(string what, StageId stage) => Start(what, stage.Name, stage.Pipeline, stage.Run)?.SetTag("checkpoint.stage", stage.Name);

    public static Activity? StartRun(string pipeline, string run) => Start("run", pipeline, pipeline, run);

    public static void SaveEnded(Activity? activity, StageId stage, TimeSpan duration, Exception? error)
    {
        if (SaveDuration.Enabled)
            SaveDuration.Record(duration.TotalSeconds, Tags(stage, error));
        Fail(activity, error);
    }

    public static void Retried(Activity? activity, StageId stage, Exception error)
    {
        Retries.Add(1, Tags(stage, error));
        activity?.AddEvent(new ActivityEvent("retry", tags: new() { { "error.type", TypeOf(error) }, { "exception.message", error.Message } }));
    }

    public static void StageEnded(Activity? activity, StageId stage, TimeSpan duration, int attempts, Exception? error)
    {
        if (StageDuration.Enabled)
        {
            var tags = Tags(stage, error);
            tags.Add("checkpoint.status", Word(error is null ? StageStatus.Completed : StageStatus.Failed));
            StageDuration.Record(duration.TotalSeconds, tags);
        }
        Fail(activity?.SetTag("checkpoint.attempts", attempts).SetTag("checkpoint.status", Word(error is null ? StageStatus.Completed : StageStatus.Failed)), error);
    }

    /// <summary>Ends what is told of a run.</summary>
    /// <param name="activity">What <see cref="StartRun"/> gave.</param>
    /// <param name="run">The run as it is now.</param>
    /// <param name="duration">How long this execution took.</param>
    /// <param name="error">What it failed with first, or null.</param>
    public static void RunEnded(Activity? activity, CheckpointRun run, TimeSpan duration, Exception? error)
    {
        var tags = new TagList { { "checkpoint.pipeline", run.Pipeline } };
        if (error is not null)
            tags.Add("error.type", TypeOf(error));
        tags.Add("checkpoint.status", Word(run.Status));
        RunDuration.Record(duration.TotalSeconds, tags);
        activity?.SetTag("checkpoint.status", Word(run.Status)).SetTag("checkpoint.attempts", run.Attempts);
        if (run.Status != RunStatus.Completed)
            activity?.SetStatus(ActivityStatusCode.Error, run.LastError);
        if (error is not null)
            activity?.SetTag("error.type", TypeOf(error));
    }

    public static void CircuitChanged(string pipeline, CircuitChange change) =>
        CircuitChanges.Add(1, new("checkpoint.pipeline", pipeline), new("checkpoint.circuit_breaker.name", change.Breaker), new("checkpoint.circuit_breaker.state", change.State == CircuitState.HalfOpen ? "half_open" : Word(change.State)));

    private static Activity? Start(string what, string name, string pipeline, string? run) =>
        Source.HasListeners() ? Source.StartActivity($"{what} {name}")?.SetTag("checkpoint.pipeline", pipeline).SetTag("checkpoint.run", run) : null;

    private static void Fail(Activity? activity, Exception? error)
    {
        if (activity is null || error is null)
            return;
        activity.SetStatus(ActivityStatusCode.Error, error.Message).SetTag("error.type", TypeOf(error));
        activity.AddEvent(new ActivityEvent("exception", tags: new() { { "exception.type", error.GetType().FullName }, { "exception.message", error.Message } }));
    }

    private static TagList Tags(StageId stage, Exception? error)
    {
        var tags = new TagList { { "checkpoint.pipeline", stage.Pipeline }, { "checkpoint.stage", stage.Name } };
        if (error is not null)
            tags.Add("error.type", TypeOf(error));
        return tags;
    }

    private static string TypeOf(Exception error) => error is CheckpointException own ? own.Kind.ToString() : error.GetType().FullName!;

    private static string Word<T>(T value)
        where T : struct, Enum =>
        value.ToString().ToLowerInvariant();
}
