namespace Checkpoint;

/// <summary>A second store that gets what the first does.</summary>
/// <param name="Location">A full path or a URI.</param>
/// <param name="Mode">When a save is done.</param>
internal sealed record Replica(string Location, ReplicaMode Mode);
