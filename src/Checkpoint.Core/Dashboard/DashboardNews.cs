namespace Checkpoint;

/// <summary>What a dashboard's page does not know yet.</summary>
internal sealed record DashboardNews
{
    /// <summary>The number of what the page shows once it has this.</summary>
    public required long Version { get; init; }

    /// <summary>When it was read, UTC.</summary>
    public required DateTimeOffset GeneratedAt { get; init; }

    /// <summary>Whether the rest is all there is, and not only what changed.</summary>
    public bool IsWhole { get; init; }

    /// <summary>The store, where it is all there is.</summary>
    public string? Store { get; init; }

    /// <summary>The runs that are new or changed.</summary>
    public required IReadOnlyList<ReportRun> Runs { get; init; }

    /// <summary>The runs that are no more.</summary>
    public IReadOnlyList<RunName> Gone { get; init; } = [];

    /// <summary>The lines of the history that came.</summary>
    public required IReadOnlyList<ReportEvent> History { get; init; }

    /// <summary>What could not be read.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}
