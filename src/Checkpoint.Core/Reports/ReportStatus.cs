namespace Checkpoint;

/// <summary>What became of a stage, as far as a store can tell.</summary>
internal enum ReportStatus
{
    /// <summary>It is complete.</summary>
    Completed,

    /// <summary>It was complete already.</summary>
    Skipped,

    /// <summary>It failed.</summary>
    Failed,

    /// <summary>It did not come to it.</summary>
    NotRun,

    /// <summary>It is disabled, or depends on one that is.</summary>
    Disabled,

    /// <summary>A process is at work on it.</summary>
    Running,

    /// <summary>It began and did not come to its end.</summary>
    Interrupted,

    /// <summary>It began, by no runner, and nothing tells of its end: its process may be at work on it.</summary>
    Begun,

    /// <summary>Its checkpoints were removed.</summary>
    Cleared,
}
