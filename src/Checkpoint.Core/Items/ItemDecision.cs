namespace Checkpoint;

/// <summary>What is to be done with an item of the input.</summary>
internal enum ItemDecision
{
    /// <summary>It is run.</summary>
    Run,

    /// <summary>It was done before.</summary>
    Done,

    /// <summary>It failed before, and those are not run now.</summary>
    Failed,

    /// <summary>Its key came before in the same input.</summary>
    Doubled,
}
