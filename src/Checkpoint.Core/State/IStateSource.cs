namespace Checkpoint;

/// <summary>A state that can write itself: the boundary between the store, which knows files, and the caller, which knows objects.</summary>
internal interface IStateSource
{
    /// <summary>True for piped input, which comes back element by element.</summary>
    bool IsSequence { get; }

    /// <summary>Whether it can be written once more, where the store lost what it was sent.</summary>
    bool CanRepeat => false;

    /// <summary>Writes the state's document and blobs. Called on the caller's thread, before anything is committed, and once unless it can be repeated.</summary>
    void WriteTo(StateWriter writer, CancellationToken cancellation);
}
