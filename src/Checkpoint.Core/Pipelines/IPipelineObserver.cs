namespace Checkpoint;

/// <summary>Is told, on the caller's thread, how a pipeline goes on. What it throws ends the execution.</summary>
internal interface IPipelineObserver
{
    /// <summary>Something that a person should know.</summary>
    void Warn(string message);

    /// <summary>Before the first stage, when it is sure which run it is.</summary>
    void PipelineStarted(CheckpointRun run, bool isResumed);

    /// <summary>Before a stage runs; not for one that is skipped.</summary>
    void StageStarted(StageId stage, CheckpointDecision decision, int number, int count);

    /// <summary>A failed attempt that is followed by another.</summary>
    void StageRetried(StageId stage, Exception error, int attempt, int retries, TimeSpan pause);

    /// <summary>The circuit breaker of a stage came into another state.</summary>
    void CircuitChanged(StageId stage, CircuitChange change);

    /// <summary>After a stage, whatever became of it.</summary>
    void StageEnded(StageId stage, StageResult result, Exception? error);

    /// <summary>After the last stage.</summary>
    void PipelineEnded(PipelineResult result);
}
