using System.Management.Automation;

namespace Checkpoint;

/// <summary>Tells a person, and the hooks, how a pipeline goes on.</summary>
internal sealed class PipelineObserver(PSCmdlet command, PipelineHooks hooks, string pipeline) : IPipelineObserver
{
    private static readonly string[] Tags = ["Checkpoint"];

    private string? _run;

    public void Warn(string message) => command.Warn(message);

    public void PipelineStarted(CheckpointRun run, bool isResumed)
    {
        _run = run.Run;
        Tell($"Run {(isResumed ? "resumed" : "started")}: {run.Run} of pipeline {pipeline}");
        hooks.Call(Event("BeforePipeline"));
    }

    public void StageStarted(StageId stage, CheckpointDecision decision, int number, int count)
    {
        command.WriteProgress(new ProgressRecord(0, $"Pipeline '{pipeline}'", $"Stage {number} of {count}: {stage.Name}") { PercentComplete = (number - 1) * 100 / count });
        Tell($"Stage started: {stage.Name}: {decision.Reason}");
        hooks.Call(Event("BeforeStage", stage.Name, reason: decision.Reason));
    }

    public void StageRetried(StageId stage, Exception error, int attempt, int retries, TimeSpan pause)
    {
        var cause = BlockErrors.CauseOf(error);
        command.Warn(StageMessages.Retry($"Stage '{stage.Name}'", cause, attempt, retries, pause));
        hooks.Call(Event("OnRetry", stage.Name, error: cause, attempt: attempt, delay: pause));
    }

    public void CircuitChanged(StageId stage, CircuitChange change)
    {
        Tell(change.ToString());
        hooks.Call(Event("OnCircuitBreaker", stage.Name, change.State.ToString(), change.Reason, breaker: change.Breaker));
    }

    public void StageEnded(StageId stage, StageResult result, Exception? error)
    {
        var why = result.Status == StageStatus.Completed ? null : result.Error ?? result.Reason;
        Tell($"Stage {Word(result.Status)}: {stage.Name}{(why is null ? "" : $": {why}")}");
        if (result.Status is not (StageStatus.Completed or StageStatus.Failed))
            return;
        if (error is not null)
            hooks.Call(Event("OnStageFailure", stage.Name, result.Status.ToString(), duration: result.Duration, error: BlockErrors.CauseOf(error), attempt: result.Attempts));
        hooks.Call(Event("AfterStage", stage.Name, result.Status.ToString(), duration: result.Duration, error: error is null ? null : BlockErrors.CauseOf(error), attempt: result.Attempts));
    }

    public void PipelineEnded(PipelineResult result)
    {
        if (_run is null)
            return;
        hooks.Call(Event("AfterPipeline", null, result.Status.ToString(), duration: result.Duration, result: result));
        command.WriteProgress(new ProgressRecord(0, $"Pipeline '{pipeline}'", "done") { RecordType = ProgressRecordType.Completed });
        Tell($"Run {result.Status.ToString().ToLowerInvariant()}: {result.Run} of pipeline {pipeline}");
    }

    private static string Word(StageStatus status) => status == StageStatus.NotRun ? "not run" : status.ToString().ToLowerInvariant();

    private void Tell(string message) => command.Tell(message, Tags);

    private HookEvent Event(string hook, string? stage = null, string? status = null, string? reason = null, TimeSpan? duration = null, Exception? error = null, int? attempt = null, TimeSpan? delay = null, PipelineResult? result = null, string? breaker = null) => new()
    {
        Hook = hook,
        Time = TimeProvider.System.GetUtcNow(),
        Pipeline = pipeline,
        Run = _run,
        Stage = stage,
        Status = status,
        Reason = reason,
        Duration = duration,
        Error = error,
        Attempt = attempt,
        Delay = delay,
        Result = result,
        CircuitBreaker = breaker,
    };
}
