namespace Checkpoint;

/// <summary>An item's output as the journal keeps it.</summary>
/// <param name="State">The output: in itself, or beside the journal.</param>
/// <param name="Offset">Where it begins there, in bytes.</param>
internal sealed record ItemOutput(StoredState State, long Offset);
