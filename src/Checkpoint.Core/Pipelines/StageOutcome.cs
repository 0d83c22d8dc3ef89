namespace Checkpoint;

/// <summary>What came of a stage.</summary>
internal sealed record StageOutcome
{
    /// <summary>Completed, Skipped or Failed.</summary>
    public required StageStatus Status { get; init; }

    /// <summary>Why it was skipped or run.</summary>
    public required CheckpointDecision Decision { get; init; }

    /// <summary>The checkpoint that vouches for it, or null where it failed.</summary>
    public CheckpointInfo? Checkpoint { get; init; }

    /// <summary>What it gave, where it ran.</summary>
    public IStateSource? Output { get; init; }

    /// <summary>The saved result, where it was skipped and the result asked for.</summary>
    public object? Restored { get; init; }

    /// <summary>What is to be said of the saved result that was used, where the key does not vouch for it; or null.</summary>
    public string? Doubt { get; init; }

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; init; }

    public TimeSpan Duration { get; init; }

    /// <summary>Why older steps could not be pruned, or null; the result itself is saved then.</summary>
    public CheckpointException? PruneError { get; init; }

    /// <summary>What it failed with, or null.</summary>
    public Exception? Error { get; init; }
}
