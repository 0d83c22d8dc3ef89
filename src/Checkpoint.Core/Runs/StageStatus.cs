namespace Checkpoint;

/// <summary>What became of a stage in a run.</summary>
public enum StageStatus
{
    /// <summary>It ran and succeeded.</summary>
    Completed,

    /// <summary>It was complete already.</summary>
    Skipped,

    /// <summary>It ran and failed.</summary>
    Failed,

    /// <summary>It did not come to it.</summary>
    NotRun,

    /// <summary>It is disabled, or depends on one that is.</summary>
    Disabled,
}
