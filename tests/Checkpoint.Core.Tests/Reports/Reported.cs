namespace Checkpoint.Tests;

/// <summary>Reports for tests.</summary>
internal static class Reported
{
    public static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static CheckpointReport Report(params ReportRun[] runs) => new() { GeneratedAt = Noon, Store = "/data/store", Runs = runs, History = [], Problems = [] };

    public static ReportRun Run(params ReportStage[] stages) => new() { Pipeline = "nightly", Run = "7", Status = RunStatus.Completed, StartedAt = Noon, EndedAt = Noon.AddSeconds(90), Attempts = 1, Host = "box", User = "ann", ProcessId = 1, Stages = stages };

    public static ReportStage Stage(string name, ReportStatus status = ReportStatus.Completed) => new() { Name = name, Status = status, Attempts = 1, DurationSeconds = 1.5, Spans = [new ReportSpan(ReportSpanKind.Attempt, Noon, Noon.AddSeconds(1.5), ReportOutcome.Completed)] };

    public static ReportEvent Line(int number, string kind = CheckpointEvents.Saved, string pipeline = "nightly", string? reason = null) => new(Noon.AddSeconds(number), kind, pipeline, "7", "fetch", number, reason, "box", "ann", 1);
}
