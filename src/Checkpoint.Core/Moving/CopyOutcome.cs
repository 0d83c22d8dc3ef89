namespace Checkpoint;

/// <summary>What became of a checkpoint that was to be copied.</summary>
/// <param name="Checkpoint">The checkpoint: in its new place where it is there, else as it is in the old.</param>
/// <param name="IsNew">Whether it was copied now; else it was there already.</param>
/// <param name="Fault">Why it could not be copied, or null.</param>
internal sealed record CopyOutcome(CheckpointInfo? Checkpoint, bool IsNew, CheckpointException? Fault)
{
    /// <summary>Whether the fault is that of what was to be copied, and not of the other store.</summary>
    public bool IsOfSource { get; init; }
}
