namespace Checkpoint;

/// <summary>A state that can write itself: the boundary between the store, which knows files, and the caller, which knows objects.</summary>
internal interface IStateSource
{
    /// <summary>True for piped input, which comes back element by element.</summary>
    bool IsSequence { get; }

    /// <summary>Writes the state's document and blobs. Called once, on the caller's thread, before anything is committed.</summary>
    void WriteTo(StateWriter writer, CancellationToken cancellation);
}
