using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Checkpoint;

/// <summary>
/// Activities and metrics under the name <c>Checkpoint</c>, as System.Diagnostics has them, so that OpenTelemetry or dotnet-counters see runs, stages and saves
/// without any code of ours. Names follow the OpenTelemetry conventions: lower case with points, durations in seconds.
/// </summary>
internal static class Diagnostics
{
    public const string Name = "Checkpoint";

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);
    private static readonly Histogram<double> SaveDuration = Meter.CreateHistogram<double>("checkpoint.save.duration", "s", "How long saves took.");
    private static readonly Histogram<double> StageDuration = Meter.CreateHistogram<double>("checkpoint.stage.duration", "s", "How long stages took, retries and pauses included.");
    private static readonly Histogram<double> RunDuration = Meter.CreateHistogram<double>("checkpoint.run.duration", "s", "How long executions of runs took.");
    private static readonly Counter<long> Retries = Meter.CreateCounter<long>("checkpoint.stage.retries", "{retry}", "How often a failed stage was tried again.");

    /// <summary>Starts an activity; null where nobody listens.</summary>
    public static Activity? Start(string what, StageId stage) => Start(what, stage.Name)?.SetTag("checkpoint.pipeline", stage.Pipeline).SetTag("checkpoint.run", stage.Run).SetTag("checkpoint.stage", stage.Name);

    public static Activity? StartRun(string pipeline, string run) => Start("run", pipeline)?.SetTag("checkpoint.pipeline", pipeline).SetTag("checkpoint.run", run);

    public static void Saved(StageId stage, TimeSpan duration)
    {
        if (SaveDuration.Enabled)
            SaveDuration.Record(duration.TotalSeconds, Tag("pipeline", stage.Pipeline), Tag("stage", stage.Name));
    }

    public static void Retried(StageId stage) => Retries.Add(1, Tag("pipeline", stage.Pipeline), Tag("stage", stage.Name));

    public static void StageEnded(Activity? activity, StageId stage, TimeSpan duration, int attempts, Exception? error)
    {
        StageDuration.Record(duration.TotalSeconds, Tag("pipeline", stage.Pipeline), Tag("stage", stage.Name), Tag("status", error is null ? "completed" : "failed"));
        End(activity?.SetTag("checkpoint.attempts", attempts), error?.Message);
    }

    public static void RunEnded(Activity? activity, CheckpointRun run, TimeSpan duration)
    {
        RunDuration.Record(duration.TotalSeconds, Tag("pipeline", run.Pipeline), Tag("status", run.Status.ToString().ToLowerInvariant()));
        End(activity?.SetTag("checkpoint.status", run.Status.ToString()), run.LastError);
    }

    private static Activity? Start(string what, string name) => Source.HasListeners() ? Source.StartActivity($"{what} {name}") : null;

    private static void End(Activity? activity, string? error) => activity?.SetStatus(error is null ? ActivityStatusCode.Ok : ActivityStatusCode.Error, error);

    private static KeyValuePair<string, object?> Tag(string name, string value) => new("checkpoint." + name, value);
}
