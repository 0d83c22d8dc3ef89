namespace Checkpoint;

/// <summary>How far a run came.</summary>
public enum RunStatus
{
    /// <summary>A process is at work on it.</summary>
    Running,

    /// <summary>Every stage that was to be done is done.</summary>
    Completed,

    /// <summary>A stage failed and others, which do not depend on it, were done.</summary>
    Partial,

    /// <summary>A stage failed.</summary>
    Failed,

    /// <summary>It was stopped, or its process died, before its end.</summary>
    Interrupted,
}
