namespace Checkpoint;

/// <summary>A stage in a report.</summary>
internal sealed record ReportStage
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What became of it.</summary>
    public required ReportStatus Status { get; init; }

    /// <summary>Why, in words, or null where the status says it all.</summary>
    public string? Reason { get; init; }

    /// <summary>How often it was tried, in all executions.</summary>
    public int Attempts { get; init; }

    /// <summary>How long its last execution took, pauses between attempts included, in seconds; null where it did not run.</summary>
    public double? DurationSeconds { get; init; }

    /// <summary>The error that it failed with last, or null.</summary>
    public string? Error { get; init; }

    /// <summary>How often it was skipped.</summary>
    public int Skips { get; init; }

    /// <summary>When it was skipped last, UTC, or null.</summary>
    public DateTimeOffset? SkippedAt { get; init; }

    /// <summary>Its time, in order.</summary>
    public IReadOnlyList<ReportSpan> Spans { get; init; } = [];

    /// <summary>Its newest intact checkpoint, or null.</summary>
    public ReportCheckpoint? Checkpoint { get; init; }

    /// <summary>Its items, or null where it has none.</summary>
    public ReportItems? Items { get; init; }
}
