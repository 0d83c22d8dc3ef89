namespace Checkpoint;

/// <summary>Those who work on a stage's items together: each has a lease of a number of its own, the lowest that is free, for as long as it lives.</summary>
/// <param name="engine">Where the stage is kept.</param>
/// <param name="stage">The stage.</param>
/// <param name="time">The clock.</param>
internal sealed class ItemCrew(CheckpointEngine engine, StageId stage, TimeProvider time)
{
    /// <summary>How long one keeps its items that neither ends nor renews its lease.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private const int Most = 10_000;

    /// <summary>Takes the lease of the first number that is free.</summary>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.LeaseHeld"/> where somebody works on the stage alone, or an error of the store.</exception>
    public async ValueTask<Lease> JoinAsync(CancellationToken cancellation)
    {
        LeaseHolder? other = null;
        for (var worker = 1; worker <= Most; worker++)
        {
            if (await engine.Store.FindLeaseAsync(NameOf(worker), cancellation) is not null)
                continue;
            var attempt = await TakeAsync(worker, cancellation);
            if (attempt.Lease is not null)
                return attempt.Lease;
            other = attempt.Holder;
            if (attempt.IsBarred)
                break;
        }
        throw CheckpointErrors.LeaseHeld(new LeaseName(stage), engine.Store.Location, other);
    }

    /// <summary>Has those who live no more give their items back. Who can be taken the place of has surely lost its lease.</summary>
    public async ValueTask ReplaceDeadAsync(ItemJournal journal, CancellationToken cancellation)
    {
        foreach (var worker in journal.OtherWorkers)
        {
            if (await engine.Store.FindLeaseAsync(NameOf(worker), cancellation) is not null)
                continue;
            using var lease = (await TakeAsync(worker, cancellation)).Lease;
            if (lease is not null)
                journal.Join(lease);
        }
    }

    private LeaseName NameOf(int worker) => new(stage) { Worker = worker };

    private ValueTask<LeaseAttempt> TakeAsync(int worker, CancellationToken cancellation) => engine.Store.TryLeaseAsync(NameOf(worker), LeaseHolder.Self(time), Lifetime, cancellation);
}
