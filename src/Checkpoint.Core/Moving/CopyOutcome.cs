namespace Checkpoint;

/// <summary>What became of a checkpoint that was to be copied.</summary>
/// <param name="Checkpoint">The checkpoint: in its new place where it is there, else as it is in the old.</param>
/// <param name="IsNew">Whether it was copied now; else it was there already.</param>
/// <param name="Fault">Why it could not be copied, or null.</param>
internal sealed record CopyOutcome(CheckpointInfo? Checkpoint, bool IsNew, CheckpointException? Fault);
