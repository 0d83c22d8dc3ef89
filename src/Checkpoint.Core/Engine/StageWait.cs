using System.Globalization;

namespace Checkpoint;

/// <summary>Waits until a stage is complete, which another process or machine sees to.</summary>
/// <param name="engine">Where it is kept.</param>
/// <param name="time">The clock.</param>
internal sealed class StageWait(CheckpointEngine engine, TimeProvider time)
{
    // Where the store tells nobody of changes it is asked, ever more seldom.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50), LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>Waits.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="fingerprint">What it must have been saved under, or null for anything.</param>
    /// <param name="patience">How long to wait; null for ever.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <returns>The checkpoint.</returns>
    /// <exception cref="CheckpointException">
    /// <see cref="CheckpointErrorKind.StageFailed"/> where who was at work on it is no more, or its run has ended, and it is not complete; <see cref="CheckpointErrorKind.CheckpointNotFound"/> where
    /// the time is over; or an error of the store.
    /// </exception>
    public async ValueTask<CheckpointInfo> RunAsync(StageId stage, CheckpointFingerprint? fingerprint, TimeSpan? patience, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        var wasSeen = false;
        for (var pause = FirstPause; ; pause = pause * 2 > LongestPause ? LongestPause : pause * 2)
        {
            // Looked at before the checkpoint: who ends in between has saved it by then.
            var isBusy = await engine.Store.FindLeaseAsync(new LeaseName(stage), cancellation) is not null;
            var failure = !isBusy && wasSeen ? "the process that was at work on it ended without completing it" : stage.Run is null ? null : await WhyEndedAsync(stage.Pipeline, stage.Run, cancellation);
            var decision = await engine.DecideAsync(stage, null, fingerprint, null, cancellation);
            if (decision is { Decision: StageDecision.Skip, Checkpoint: { } checkpoint })
                return checkpoint;
            if (failure is not null)
                throw CheckpointErrors.WaitedInVain(stage, engine.Store.Location, await LastFailureAsync(stage, cancellation) ?? failure);
            wasSeen |= isBusy;
            var left = patience - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
                throw CheckpointErrors.WaitedTooLong(stage, engine.Store.Location, patience!.Value, decision.Reason);
            await engine.Store.WaitForChangeAsync(stage, left < pause ? left.Value : pause, time, cancellation);
        }
    }

    private async ValueTask<string?> WhyEndedAsync(string pipeline, string run, CancellationToken cancellation)
    {
        await foreach (var reading in new RunRegistry(engine.Store, engine.History, time).FindAsync(NamePattern.Of(pipeline), NamePattern.Of(run), cancellation))
        {
            if (reading.Run is { Status: not RunStatus.Running } ended)
                return string.Create(CultureInfo.InvariantCulture, $"run '{ended.Run}' is {SealedDocument.Text(ended.Status)}{(ended.LastError is null ? "" : $" ({ended.LastError.TrimEnd('.')})")}");
        }
        return null;
    }

    private async ValueTask<string?> LastFailureAsync(StageId stage, CancellationToken cancellation)
    {
        string? reason = null;
        await foreach (var entry in engine.Store.ReadHistoryAsync(NamePattern.Of(stage.Pipeline), cancellation))
        {
            if (entry is { Event: CheckpointEvents.StageFailed, Name: { } name } && new StageId(entry.Pipeline, entry.Run, name).Equals(stage))
                reason = entry.Reason?.TrimEnd('.');
        }
        return reason;
    }
}
