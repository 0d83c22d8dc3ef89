namespace Checkpoint;

/// <summary>When a save is done where the store has a replica.</summary>
public enum ReplicaMode
{
    /// <summary>When the store has it. The replica gets it behind the work, at the latest at the end of the process. The default.</summary>
    Asynchronous,

    /// <summary>When the store and the replica have it. Where the replica cannot take it the save is an error, though the store has it.</summary>
    Required,
}
