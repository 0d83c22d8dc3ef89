namespace Checkpoint;

/// <summary>One attempt at a stage of a run.</summary>
/// <param name="Stage">The stage in its pipeline and run.</param>
/// <param name="Attempt">Which attempt, from 1 up.</param>
/// <param name="Inputs">The checkpoints of the stages before it, by name.</param>
internal sealed record StageAttempt(StageId Stage, int Attempt, IReadOnlyDictionary<string, CheckpointInfo> Inputs);
