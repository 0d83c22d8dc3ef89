namespace Checkpoint;

/// <summary>A run in a report; or what scripts saved for a run, or for none, without a runner.</summary>
internal sealed record ReportRun
{
    /// <summary>The pipeline.</summary>
    public required string Pipeline { get; init; }

    /// <summary>The run's id, or null for what belongs to none.</summary>
    public string? Run { get; init; }

    /// <summary>How far it came; null where no runner keeps account of it.</summary>
    public RunStatus? Status { get; init; }

    /// <summary>When it began, UTC, or null where nothing tells.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended, UTC, or null where it did not; without a runner when something was told of it last.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How often it was started; 0 without a runner.</summary>
    public int Attempts { get; init; }

    /// <summary>The machine that was at work last.</summary>
    public string Host { get; init; } = "";

    /// <summary>The user that was at work last.</summary>
    public string User { get; init; } = "";

    /// <summary>The process that was at work last.</summary>
    public int ProcessId { get; init; }

    /// <summary>The message of the last error, or null.</summary>
    public string? LastError { get; init; }

    /// <summary>The stages, in the order in which they ran.</summary>
    public IReadOnlyList<ReportStage> Stages { get; init; } = [];
}
