namespace Checkpoint;

/// <summary>What a record says of its stage.</summary>
public enum CheckpointStatus
{
    /// <summary>The stage is done.</summary>
    Completed,
}
