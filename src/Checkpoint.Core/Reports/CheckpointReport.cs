using System.Text.Json.Serialization;

namespace Checkpoint;

/// <summary>What happened in a store, as a report tells it.</summary>
internal sealed record CheckpointReport
{
    /// <summary>The version of the report as JSON. A member may come; none changes its meaning.</summary>
    public int Format { get; init; } = 1;

    /// <summary>When it was made, UTC.</summary>
    public required DateTimeOffset GeneratedAt { get; init; }

    /// <summary>The store.</summary>
    public required string Store { get; init; }

    /// <summary>The runs, and what belongs to none, the newest first.</summary>
    public required IReadOnlyList<ReportRun> Runs { get; init; }

    /// <summary>The history, oldest first.</summary>
    public required IReadOnlyList<ReportEvent> History { get; init; }

    /// <summary>The same in the order of the store: each pipeline's lines as they were written, whatever the clocks of their writers said. What came since is told apart by it.</summary>
    [JsonIgnore]
    public IReadOnlyList<ReportEvent> AsWritten { get; init; } = [];

    /// <summary>What could not be read, in words.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}
