namespace Checkpoint;

/// <summary>What reading the record of a run gave.</summary>
/// <param name="Run">The run, or null.</param>
/// <param name="Fault">Why it cannot be told, or null.</param>
internal readonly record struct RunReading(CheckpointRun? Run, CheckpointException? Fault);
