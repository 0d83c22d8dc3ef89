using System.Globalization;

namespace Checkpoint;

/// <summary>Does a stage once: decides, runs with retries, saves; or gives what was saved.</summary>
/// <param name="engine">Where the results are kept.</param>
/// <param name="time">The clock, also of pauses and timeouts.</param>
internal sealed class StageRunner(CheckpointEngine engine, TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>Does the stage, unless a saved result holds.</summary>
    /// <returns>The outcome; a failure of the work itself is one of them.</returns>
    /// <exception cref="CheckpointException">The result could not be saved, or the store not be used.</exception>
    public async ValueTask<StageOutcome> RunAsync(StageWork work, CancellationToken cancellation)
    {
        var decision = await engine.DecideWorkAsync(work.Stage, work.Fingerprint, cancellation);
        var doubt = engine.DoubtOf(decision.Checkpoint);
        if (work.AcceptChange && !work.Force && decision is { Cause: DecisionCause.FingerprintChanged, Checkpoint: { } stale })
        {
            var accepted = await engine.AcceptAsync(stale, work.Fingerprint, work.Retention, work.Fence, cancellation);
            decision = new CheckpointDecision(work.Stage.Name, DecisionCause.Completed, $"the saved result was accepted though {decision.Reason}", accepted) { Damage = decision.Damage };
        }
        if (decision.Decision == StageDecision.Skip && !work.Force)
        {
            try
            {
                // The very checkpoint that was judged: an older one is the result of something else.
                var restored = work.Decode is null ? null : (await engine.RestoreAsync(work.Stage, decision.Checkpoint!.Step, work.Decode, null, cancellation)).State;
                await engine.History.RecordAsync(CheckpointEvents.StageSkipped, work.Stage, decision.Checkpoint!.Step, decision.Reason, cancellation);
                return new StageOutcome { Status = StageStatus.Skipped, Decision = decision, Checkpoint = decision.Checkpoint, Restored = restored, Doubt = doubt };
            }
            catch (CheckpointException e) when (e.Kind == CheckpointErrorKind.CheckpointDamaged)
            {
                decision = new CheckpointDecision(work.Stage.Name, DecisionCause.Damaged, "its saved result is damaged", null) { Damage = [.. decision.Damage, e] };
            }
        }
        else if (work.Force && decision.Decision == StageDecision.Skip)
        {
            decision = new CheckpointDecision(work.Stage.Name, DecisionCause.Forced, "it was asked to run regardless", decision.Checkpoint) { Damage = decision.Damage };
        }
        return await DoAsync(work, decision, cancellation);
    }

    private async ValueTask<StageOutcome> DoAsync(StageWork work, CheckpointDecision decision, CancellationToken cancellation)
    {
        using var activity = Diagnostics.Start("stage", work.Stage);
        if (work.OnStart is { } starting)
            await starting(decision);
        await engine.History.RecordAsync(CheckpointEvents.StageStarted, work.Stage, null, decision.Reason, cancellation);
        var started = _time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            Exception error;
            try
            {
                var output = await GuardAsync(work, attempt, cancellation);
                var draft = new CheckpointDraft { Stage = work.Stage, Fingerprint = work.Fingerprint, Metadata = work.Metadata(), State = output, SavedAt = engine.UtcNow, Fence = work.Fence };
                var (saved, _, pruneError) = await engine.SaveAsync(draft, work.Retention, cancellation);
                var duration = _time.GetElapsedTime(started);
                await engine.History.RecordAsync(CheckpointEvents.StageCompleted, work.Stage, saved.Step, null, cancellation);
                Diagnostics.StageEnded(activity, work.Stage, duration, attempt, null);
                return new StageOutcome { Status = StageStatus.Completed, Decision = decision, Checkpoint = saved, Output = output, Attempts = attempt, Duration = duration, PruneError = pruneError };
            }
            catch (StageWorkException e)
            {
                error = e.InnerException!;
            }
            catch (Exception e) when (e is not (OperationCanceledException or FlowInterruptedException))
            {
                // Its result could not be saved.
                await LastWords.SayAsync(token => engine.History.RecordAsync(CheckpointEvents.StageFailed, work.Stage, null, e.Message, token), cancellation);
                Diagnostics.StageEnded(activity, work.Stage, _time.GetElapsedTime(started), attempt, e);
                throw;
            }

            var cause = work.CauseOf(error);
            if (!work.Retry.Applies(cause, attempt))
            {
                var duration = _time.GetElapsedTime(started);
                await LastWords.SayAsync(token => engine.History.RecordAsync(CheckpointEvents.StageFailed, work.Stage, null, cause.Message, token), cancellation);
                Diagnostics.StageEnded(activity, work.Stage, duration, attempt, cause);
                return new StageOutcome { Status = StageStatus.Failed, Decision = decision, Attempts = attempt, Duration = duration, Error = error };
            }
            var pause = work.Retry.DelayBefore(attempt);
            work.OnRetry?.Invoke(error, attempt, pause);
            Diagnostics.Retried(activity, work.Stage, cause);
            await engine.History.RecordRetryAsync(work.Stage, string.Create(CultureInfo.InvariantCulture, $"attempt {attempt} failed: {cause.Message}"), pause, cancellation);
            await Task.Delay(pause, _time, cancellation);
        }
    }

    private async ValueTask<IStateSource> GuardAsync(StageWork work, int attempt, CancellationToken cancellation)
    {
        if (work.Guard is not { } breaker)
            return Attempt(work, attempt, cancellation);
        using var call = await EnterAsync(new CircuitGate(breaker, engine.Store, work.Stage.Pipeline, _time, work.OnCircuitChange), cancellation);
        try
        {
            var output = Attempt(work, attempt, cancellation);
            await call.SucceededAsync(cancellation);
            return output;
        }
        catch (StageWorkException e)
        {
            await call.FailedAsync(work.CauseOf(e.InnerException!).Message, cancellation);
            throw;
        }
    }

    private static async ValueTask<CircuitCall> EnterAsync(CircuitGate gate, CancellationToken cancellation)
    {
        try
        {
            return await gate.EnterAsync(cancellation);
        }
        catch (CircuitOpenException e)
        {
            throw new StageWorkException(e);
        }
    }

    // What the work throws is told apart from what saving its result throws: only the former is tried again.
    private IStateSource Attempt(StageWork work, int attempt, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var timeout = work.Timeout is { } limit ? new CancellationTokenSource(limit, _time) : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            return work.Run(attempt, either.Token);
        }
        catch (Exception) when (timeout.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new StageWorkException(new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"Stage '{work.Stage.Name}' was stopped: it took longer than {work.Timeout!.Value.TotalSeconds:0.###} s.")));
        }
        catch (Exception e) when (e is not (OperationCanceledException or FlowInterruptedException) && !cancellation.IsCancellationRequested)
        {
            throw new StageWorkException(e);
        }
    }

    private sealed class StageWorkException(Exception inner) : Exception(inner.Message, inner);
}
