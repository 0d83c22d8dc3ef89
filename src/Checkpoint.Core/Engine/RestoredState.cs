namespace Checkpoint;

/// <summary>A state that was read back.</summary>
/// <typeparam name="T">What the decoder makes.</typeparam>
/// <param name="Checkpoint">The checkpoint it is from.</param>
/// <param name="State">The state; the default where the checkpoint has none.</param>
/// <param name="Damage">Newer steps that were passed over because they are damaged, for the caller to warn of.</param>
internal sealed record RestoredState<T>(CheckpointInfo Checkpoint, T? State, IReadOnlyList<CheckpointException> Damage);
