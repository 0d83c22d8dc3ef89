namespace Checkpoint;

/// <summary>Does a stage under its lease, so that two machines never do the same work.</summary>
/// <param name="engine">Where the stage is kept.</param>
/// <param name="time">The clock.</param>
internal sealed class StageLease(CheckpointEngine engine, TimeProvider time)
{
    // For so long a holder keeps it that was stopped and neither ends nor goes on.
    private static readonly TimeSpan Duration = TimeSpan.FromMinutes(1);

    /// <summary>Does the stage. What the caller's session has locked itself it need not lock again.</summary>
    /// <param name="work">The stage.</param>
    /// <param name="whenBusy">What is done where another is at it.</param>
    /// <param name="warn">Told that another is waited for.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.LeaseHeld"/>, <see cref="CheckpointErrorKind.LeaseLost"/>, and what <see cref="StageRunner.RunAsync"/> throws.</exception>
    public async ValueTask<StageOutcome> RunAsync(StageWork work, BusyRun whenBusy, Action<string> warn, CancellationToken cancellation)
    {
        if (engine.HeldLease(work.Stage) is { } held)
            return await RunAsync(work, held, cancellation);
        // What is done needs no right to do it, which could not even be taken in a store that one may only read.
        if (!work.Force && (await engine.DecideWorkAsync(work.Stage, work.Fingerprint, cancellation)).Decision == StageDecision.Skip)
            return await new StageRunner(engine, time).RunAsync(work, cancellation);
        var lease = await new LeaseTaking(engine, time).TakeAsync(new LeaseName(work.Stage), Duration, whenBusy == BusyRun.Wait ? null : TimeSpan.Zero, warn, cancellation);
        using (lease)
            return await RunAsync(work, lease, cancellation);
    }

    private async ValueTask<StageOutcome> RunAsync(StageWork work, Lease lease, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lease.Lost);
        try
        {
            return await new StageRunner(engine, time).RunAsync(work with { Fence = lease.Fence }, either.Token);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested && (lease.Lost.IsCancellationRequested || e is CheckpointException { Kind: CheckpointErrorKind.LeaseLost }))
        {
            throw await engine.History.RecordLossAsync(lease.Name, await lease.WhyLostAsync(default) ?? "its time was over", cancellation);
        }
    }
}
