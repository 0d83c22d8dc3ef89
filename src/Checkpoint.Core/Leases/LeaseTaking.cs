namespace Checkpoint;

/// <summary>Takes leases of stages, at once or when who has it is done.</summary>
/// <param name="engine">Where they are.</param>
/// <param name="time">The clock.</param>
internal sealed class LeaseTaking(CheckpointEngine engine, TimeProvider time)
{
    /// <summary>The shortest time that a lease may last.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50), LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>Writes down that a lease was taken.</summary>
    public ValueTask RecordAsync(Lease lease, CancellationToken cancellation) =>
        engine.History.RecordAsync(CheckpointEvents.LeaseTaken, lease.Name.Pipeline, lease.Name.Run, lease.Name.Name, null, null, cancellation);

    /// <summary>Gives a lease back, and writes that down.</summary>
    /// <returns>Why it was lost before; null where it was held to the end.</returns>
    public async ValueTask<string?> GiveBackAsync(Lease lease, CancellationToken cancellation)
    {
        var lost = await lease.WhyLostAsync(cancellation);
        lease.GiveBack(cancellation);
        await engine.History.RecordAsync(lost is null ? CheckpointEvents.LeaseReleased : CheckpointEvents.LeaseLost, lease.Name.Pipeline, lease.Name.Run, lease.Name.Name, null, lost, cancellation);
        return lost;
    }

    /// <summary>Takes a lease.</summary>
    /// <param name="name">What it is on.</param>
    /// <param name="duration">For how long a holder keeps it that neither ends nor renews it.</param>
    /// <param name="patience">For how long another holder is waited for; null for ever.</param>
    /// <param name="warn">Told that another is waited for.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.LeaseHeld"/>, or an error of the store.</exception>
    public async ValueTask<Lease> TakeAsync(LeaseName name, TimeSpan duration, TimeSpan? patience, Action<string> warn, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause * 2 > LongestPause ? LongestPause : pause * 2)
        {
            var (lease, holder) = await engine.Store.TryLeaseAsync(name, LeaseHolder.Self(time), duration, cancellation);
            if (lease is not null)
                return lease;
            var left = patience - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
                throw CheckpointErrors.LeaseHeld(name, engine.Store.Location, holder);
            if (pause == FirstPause)
                warn(CheckpointErrors.Waiting(name, engine.Store.Location, holder));
            await Task.Delay(left < pause ? left.Value : pause, time, cancellation);
        }
    }
}
