namespace Checkpoint;

/// <summary>The names of what a history tells.</summary>
public static class CheckpointEvents
{
    /// <summary>A checkpoint was saved.</summary>
    public const string Saved = nameof(Saved);

    /// <summary>Checkpoints of a stage were removed on request.</summary>
    public const string Cleared = nameof(Cleared);

    /// <summary>Steps of a stage were removed by its retention.</summary>
    public const string Pruned = nameof(Pruned);

    /// <summary>A state was restored.</summary>
    public const string Restored = nameof(Restored);

    /// <summary>A run was started, or resumed.</summary>
    public const string RunStarted = nameof(RunStarted);

    /// <summary>A run came to its end and nothing is left to do.</summary>
    public const string RunCompleted = nameof(RunCompleted);

    /// <summary>A run ended with a stage that failed.</summary>
    public const string RunFailed = nameof(RunFailed);

    /// <summary>A run was stopped before its end.</summary>
    public const string RunInterrupted = nameof(RunInterrupted);

    /// <summary>A stage began.</summary>
    public const string StageStarted = nameof(StageStarted);

    /// <summary>A stage completed.</summary>
    public const string StageCompleted = nameof(StageCompleted);

    /// <summary>A stage failed, after its last attempt.</summary>
    public const string StageFailed = nameof(StageFailed);

    /// <summary>A stage was not run; the reason says why.</summary>
    public const string StageSkipped = nameof(StageSkipped);

    /// <summary>A stage failed and is tried again.</summary>
    public const string StageRetried = nameof(StageRetried);

    /// <summary>The right to work on a run or stage was taken.</summary>
    public const string LeaseTaken = nameof(LeaseTaken);

    /// <summary>The right to work on a stage was given back, by <c>Unlock-Checkpoint</c>.</summary>
    public const string LeaseReleased = nameof(LeaseReleased);

    /// <summary>The right to work on a run or stage was lost.</summary>
    public const string LeaseLost = nameof(LeaseLost);

    /// <summary>A repair moved something damaged into the store's quarantine; the reason says what and where to.</summary>
    public const string Repaired = nameof(Repaired);

    /// <summary>A repair found that lines of the history before this one were changed, removed, added or moved; the reason says which.</summary>
    public const string HistoryBroken = nameof(HistoryBroken);

    /// <summary>All of them.</summary>
    internal static readonly string[] All =
    [
        Saved, Cleared, Pruned, Restored, RunStarted, RunCompleted, RunFailed, RunInterrupted, StageStarted, StageCompleted, StageFailed, StageSkipped, StageRetried, LeaseTaken, LeaseReleased, LeaseLost,
        Repaired, HistoryBroken,
    ];
}
