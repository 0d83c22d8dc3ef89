namespace Checkpoint;

/// <summary>Executes a pipeline: chooses the run, does its stages in their order, keeps account of it.</summary>
internal sealed class PipelineRunner
{
    private readonly CheckpointEngine _engine;
    private readonly IPipelineObserver _observer;
    private readonly TimeProvider _time;
    private readonly RunRegistry _runs;

    public PipelineRunner(CheckpointEngine engine, IPipelineObserver observer, TimeProvider? time = null)
    {
        _engine = engine;
        _observer = observer;
        _time = time ?? TimeProvider.System;
        _runs = new RunRegistry(engine.Store, engine.History, _time);
    }

    /// <summary>What would be done, and why; nothing is changed.</summary>
    public async ValueTask<(CheckpointRun Run, IReadOnlyList<(StageDefinition Stage, CheckpointDecision? Decision, string Reason)> Stages)> PlanAsync(PipelineRequest request, CancellationToken cancellation)
    {
        var stages = StageOrder.Sort(request.Pipeline, request.Stages, request.From);
        var (run, start) = await _runs.ChooseAsync(request, _observer.Warn, cancellation);
        var again = Again(stages, start, request.From);
        var progress = new RunProgress(stages);
        var plan = new List<(StageDefinition, CheckpointDecision?, string)>();
        foreach (var stage in stages)
        {
            var id = new StageId(run.Pipeline, run.Run, stage.Name);
            if (progress.WhyDisabled(stage) is { } disabled)
            {
                progress.End(stage, StageStatus.Disabled, disabled);
                plan.Add((stage, null, disabled));
            }
            else if (stage.DependsOn.FirstOrDefault(d => !progress.Checkpoints.ContainsKey(CheckpointNames.Key(d))) is { } before)
            {
                plan.Add((stage, new CheckpointDecision(stage.Name, DecisionCause.FingerprintChanged, $"'{before}' runs before it", null), ""));
            }
            else
            {
                var decision = await _engine.DecideAsync(id, null, progress.FingerprintOf(stage), null, cancellation);
                if (again.Contains(stage))
                    decision = new CheckpointDecision(stage.Name, DecisionCause.Forced, "it was asked to run again", decision.Checkpoint);
                if (decision.Decision == StageDecision.Skip)
                    progress.Skip(stage, decision.Checkpoint!);
                plan.Add((stage, decision, decision.Reason));
            }
        }
        return (run, plan);
    }

    /// <summary>Executes the pipeline.</summary>
    /// <returns>What came of it; a stage that failed is no exception.</returns>
    /// <exception cref="CheckpointException">
    /// <see cref="CheckpointErrorKind.InvalidPipeline"/> before anything is done; <see cref="CheckpointErrorKind.RunNotFound"/>, <see cref="CheckpointErrorKind.FingerprintMismatch"/>,
    /// <see cref="CheckpointErrorKind.LeaseHeld"/>, <see cref="CheckpointErrorKind.StageFailed"/> for a run that is parked; or an error of the store.
    /// </exception>
    public async ValueTask<(PipelineResult Result, Exception? Error)> RunAsync(PipelineRequest request, CancellationToken cancellation)
    {
        var stages = StageOrder.Sort(request.Pipeline, request.Stages, request.From);
        var (opened, lease, start) = await _runs.OpenAsync(request, _observer.Warn, cancellation);
        using var held = lease;
        using var activity = Diagnostics.StartRun(opened.Pipeline, opened.Run);
        var progress = new RunProgress(stages);
        var account = new RunAccount(_runs, lease, opened, progress, _time);
        Exception? error = null;
        try
        {
            // Killed in between, a run that is started anew must not seem to be one whose results hold, nor one that is run again from a stage to be finished.
            if (start == RunStart.Anew)
                await ForgetAsync(opened, stages, "the run is started anew", cancellation);
            if (!opened.IsFinished || request.From is not null)
                await account.WriteAsync(cancellation);
            if (start == RunStart.Resumed)
                await ForgetAsync(opened, Again(stages, start, request.From), $"it is run again from '{request.From}'", cancellation);
            await _engine.History.RecordAsync(CheckpointEvents.RunStarted, opened.Pipeline, opened.Run, null, null, start == RunStart.Resumed ? $"resumed, attempt {account.Run.Attempts}" : null, cancellation);
            _observer.PipelineStarted(account.Run, start == RunStart.Resumed);
            error = await RunStagesAsync(request, account, progress, cancellation);
        }
        catch (Exception e)
        {
            // Stopped, or the store failed: the account says so, as far as it can still be written.
            var status = e is OperationCanceledException or FlowInterruptedException ? RunStatus.Interrupted : RunStatus.Failed;
            await CloseAsync(account, progress, status, e, activity, isBestEffort: true, cancellation);
            throw;
        }
        return (await CloseAsync(account, progress, progress.Status(request.ContinueOnError), error is null ? null : request.CauseOf(error), activity, isBestEffort: false, cancellation), error);
    }

    private async ValueTask<Exception?> RunStagesAsync(PipelineRequest request, RunAccount account, RunProgress progress, CancellationToken cancellation)
    {
        Exception? first = null;
        string? stoppedBy = null;
        for (var number = 1; number <= progress.Stages.Count; number++)
        {
            var stage = progress.Stages[number - 1];
            var id = new StageId(account.Run.Pipeline, account.Run.Run, stage.Name);
            Exception? error = null;
            StageResult result;
            if (progress.WhyDisabled(stage) is { } disabled)
                result = progress.End(stage, StageStatus.Disabled, disabled);
            else if (stoppedBy is not null)
                result = progress.End(stage, StageStatus.NotRun, $"the run stopped when '{stoppedBy}' failed");
            else if (progress.WhyNotRun(stage) is { } reason)
                result = progress.End(stage, StageStatus.NotRun, reason);
            else
                (result, error) = await RunStageAsync(request, stage, id, account, progress, number, cancellation);

            if (result.Status == StageStatus.Failed)
            {
                first ??= error;
                stoppedBy = request.ContinueOnError ? null : stage.Name;
            }
            _observer.StageEnded(id, result, error);
            if (result.Status is StageStatus.Completed or StageStatus.Failed)
                await account.WriteAsync(cancellation);
            else if (result.Status != StageStatus.Skipped)
                await _engine.History.RecordAsync(CheckpointEvents.StageSkipped, id, null, result.Reason, cancellation);
        }
        return first;
    }

    private async ValueTask<(StageResult Result, Exception? Error)> RunStageAsync(PipelineRequest request, StageDefinition stage, StageId id, RunAccount account, RunProgress progress, int number, CancellationToken cancellation)
    {
        var inputs = stage.DependsOn.ToDictionary(d => d, d => progress.Checkpoints[CheckpointNames.Key(d)], StringComparer.OrdinalIgnoreCase);
        CheckpointDecision? begun = null;
        var (attempts, started) = (0, _time.GetTimestamp());
        var work = new StageWork
        {
            Stage = id,
            Fingerprint = progress.FingerprintOf(stage),
            Run = (attempt, token) => stage.Run(new StageAttempt(id, attempts = attempt, inputs), token),
            Guard = stage.Guard,
            Retry = stage.Retry,
            Timeout = stage.Timeout,
            Retention = request.Retention,
            CauseOf = request.CauseOf,
            OnStart = async decision =>
            {
                await account.BeginAsync(cancellation);
                begun = decision;
                _observer.StageStarted(id, decision, number, progress.Stages.Count);
            },
            OnRetry = (error, attempt, pause) => _observer.StageRetried(id, error, attempt, stage.Retry.Retry, pause),
            OnCircuitChange = change => _observer.CircuitChanged(id, change),
        };
        StageOutcome outcome;
        try
        {
            outcome = await new StageRunner(_engine, _time).RunAsync(work, cancellation);
        }
        catch (Exception e) when (begun is not null && e is not (OperationCanceledException or FlowInterruptedException))
        {
            // Its result could not be saved, so the run ends here. Who was told that the stage began is told how it ended.
            outcome = new StageOutcome { Status = StageStatus.Failed, Decision = begun, Attempts = attempts, Duration = _time.GetElapsedTime(started), Error = e };
            _observer.StageEnded(id, progress.End(stage, outcome, request.CauseOf(e).Message), e);
            throw;
        }
        foreach (var warning in outcome.Decision.Damage.Append(outcome.PruneError).Select(fault => fault?.Message).Append(outcome.Doubt))
        {
            if (warning is not null)
                _observer.Warn(warning);
        }
        return (progress.End(stage, outcome, outcome.Error is null ? null : request.CauseOf(outcome.Error).Message), outcome.Error);
    }

    // What is to run again is forgotten first: were it only remembered until it succeeds, a failure would leave the old result in force.
    private async ValueTask ForgetAsync(CheckpointRun run, IReadOnlyCollection<StageDefinition> stages, string reason, CancellationToken cancellation)
    {
        foreach (var stage in stages)
            await _engine.ClearAsync(new StageId(run.Pipeline, run.Run, stage.Name), null, reason, cancellation);
    }

    private static List<StageDefinition> Again(IReadOnlyList<StageDefinition> stages, RunStart start, string? from)
    {
        if (start == RunStart.Anew)
            return [.. stages];
        if (from is null)
            return [];
        var keys = new HashSet<string> { CheckpointNames.Key(from) };
        var again = new List<StageDefinition>();
        foreach (var stage in stages.Where(s => keys.Contains(CheckpointNames.Key(s.Name)) || s.DependsOn.Any(d => keys.Contains(CheckpointNames.Key(d)))))
        {
            keys.Add(CheckpointNames.Key(stage.Name));
            again.Add(stage);
        }
        return again;
    }

    private async ValueTask<PipelineResult> CloseAsync(RunAccount account, RunProgress progress, RunStatus status, Exception? cause, System.Diagnostics.Activity? activity, bool isBestEffort, CancellationToken stopped)
    {
        var error = status == RunStatus.Interrupted ? "it was stopped" : cause?.Message;
        progress.EndRest();
        await LastWords.SayAsync(
            async token =>
            {
                try
                {
                    await account.EndAsync(status, error, token);
                }
                catch (CheckpointException e) when (isBestEffort)
                {
                    // What went wrong first is told; that the account does not know of it too is only worth a word.
                    _observer.Warn(e.Message);
                }
                var kind = status switch { RunStatus.Completed => CheckpointEvents.RunCompleted, RunStatus.Interrupted => CheckpointEvents.RunInterrupted, _ => CheckpointEvents.RunFailed };
                await _engine.History.RecordAsync(kind, account.Run.Pipeline, account.Run.Run, null, null, error, token);
            },
            stopped);
        var run = account.Run;
        Diagnostics.RunEnded(activity, run, account.Elapsed, status == RunStatus.Interrupted ? null : cause);
        var result = new PipelineResult { Name = run.Pipeline, Run = run.Run, Status = status, Stages = progress.Results, Duration = account.Elapsed };
        _observer.PipelineEnded(result);
        return result;
    }
}
