namespace Checkpoint;

/// <summary>How an attempt ended.</summary>
internal enum ReportOutcome
{
    /// <summary>It succeeded.</summary>
    Completed,

    /// <summary>It failed.</summary>
    Failed,

    /// <summary>It was stopped, or its process died.</summary>
    Interrupted,
}
