namespace Checkpoint;

/// <summary>How an execution of a pipeline came to its run.</summary>
internal enum RunStart
{
    /// <summary>It is a new one.</summary>
    New,

    /// <summary>It was there; what it saved holds.</summary>
    Resumed,

    /// <summary>It was there; what it saved is to be done again.</summary>
    Anew,
}
