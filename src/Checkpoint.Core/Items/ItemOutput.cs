namespace Checkpoint;

/// <summary>An item's output as the journal keeps it.</summary>
/// <param name="State">The output: in itself, or beside the journal.</param>
/// <param name="Offset">Where it begins there, in bytes.</param>
internal sealed record ItemOutput(StoredState State, long Offset)
{
    /// <summary>What its key needs to open it, or null where it is not encrypted.</summary>
    public Envelope? Encryption { get; init; }
}
