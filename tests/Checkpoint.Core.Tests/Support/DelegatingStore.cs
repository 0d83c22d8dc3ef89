namespace Checkpoint.Tests;

/// <summary>A store behind which a test can change things between two calls.</summary>
internal sealed class DelegatingStore(CheckpointStore inner) : CheckpointStore
{
    public Func<Task>? BeforeFind { get; set; }

    public Func<long, Task>? BeforeRead { get; set; }

    public Func<Task>? BeforeOpen { get; set; }

    public Func<Task>? BeforeSave { get; set; }

    public Func<Task>? BeforeReplace { get; set; }

    public Func<Task>? BeforeRemove { get; set; }

    public Func<LeaseName, Task>? BeforeLease { get; set; }

    public Action<StageQuery>? OnList { get; set; }

    public Action? OnHistory { get; set; }

    public Func<Task>? BeforeFindLease { get; set; }

    /// <summary>Whether the history is written.</summary>
    public bool HasHistory { get; init; } = true;

    public int Finds { get; private set; }

    public override string Location => inner.Location;

    public override async ValueTask<CheckpointInfo> SaveAsync(CheckpointDraft draft, CancellationToken cancellation)
    {
        if (BeforeSave is not null)
            await BeforeSave();
        return await inner.SaveAsync(draft, cancellation);
    }

    public override async ValueTask<bool> ReplaceEncryptionAsync(CheckpointInfo checkpoint, Envelope encryption, CancellationToken cancellation)
    {
        if (BeforeReplace is not null)
            await BeforeReplace();
        return await inner.ReplaceEncryptionAsync(checkpoint, encryption, cancellation);
    }

    public override async ValueTask<StageListing?> FindAsync(StageId stage, CancellationToken cancellation)
    {
        Finds++;
        if (BeforeFind is not null)
            await BeforeFind();
        return await inner.FindAsync(stage, cancellation);
    }

    public override IAsyncEnumerable<StageListing> ListAsync(StageQuery query, CancellationToken cancellation)
    {
        OnList?.Invoke(query);
        return inner.ListAsync(query, cancellation);
    }

    public override async ValueTask<CheckpointReading> ReadAsync(StageId stage, long step, CancellationToken cancellation)
    {
        if (BeforeRead is not null)
            await BeforeRead(step);
        return await inner.ReadAsync(stage, step, cancellation);
    }

    public override async ValueTask<StateReader> OpenStateAsync(CheckpointInfo checkpoint, Action<long>? progress, CancellationToken cancellation)
    {
        if (BeforeOpen is not null)
            await BeforeOpen();
        return await inner.OpenStateAsync(checkpoint, progress, cancellation);
    }

    public override async ValueTask<int> RemoveAsync(StageId stage, IReadOnlyCollection<DoomedStep>? steps, LeaseFence? held, CancellationToken cancellation)
    {
        if (BeforeRemove is not null)
            await BeforeRemove();
        return await inner.RemoveAsync(stage, steps, held, cancellation);
    }

    public override ValueTask AppendHistoryAsync(string pipeline, IReadOnlyList<CheckpointEvent> events, CancellationToken cancellation) =>
        HasHistory ? inner.AppendHistoryAsync(pipeline, events, cancellation) : default;

    public override IAsyncEnumerable<CheckpointEvent> ReadHistoryAsync(NamePattern pipeline, CancellationToken cancellation)
    {
        OnHistory?.Invoke();
        return inner.ReadHistoryAsync(pipeline, cancellation);
    }

    public override ValueTask<ItemLog> OpenItemsAsync(StageId stage, Lease? worker, CancellationToken cancellation) => inner.OpenItemsAsync(stage, worker, cancellation);

    public override ValueTask<ItemLog> ReadItemsAsync(StageId stage, CancellationToken cancellation) => inner.ReadItemsAsync(stage, cancellation);

    public override ValueTask WriteRunAsync(CheckpointRun run, CancellationToken cancellation) => inner.WriteRunAsync(run, cancellation);

    public override IAsyncEnumerable<RunReading> ListRunsAsync(NamePattern pipeline, NamePattern run, CancellationToken cancellation) => inner.ListRunsAsync(pipeline, run, cancellation);

    public override ValueTask<byte[]?> ReadDocumentAsync(DocumentName document, CancellationToken cancellation) => inner.ReadDocumentAsync(document, cancellation);

    public override ValueTask WriteDocumentAsync(DocumentName document, ReadOnlyMemory<byte> bytes, CancellationToken cancellation) => inner.WriteDocumentAsync(document, bytes, cancellation);

    public override async ValueTask<LeaseAttempt> TryLeaseAsync(LeaseName lease, LeaseHolder holder, TimeSpan? duration, CancellationToken cancellation)
    {
        if (BeforeLease is not null)
            await BeforeLease(lease);
        return await inner.TryLeaseAsync(lease, holder, duration, cancellation);
    }

    public override async ValueTask<LeaseHolder?> FindLeaseAsync(LeaseName lease, CancellationToken cancellation)
    {
        if (BeforeFindLease is not null)
            await BeforeFindLease();
        return await inner.FindLeaseAsync(lease, cancellation);
    }

    public override IAsyncEnumerable<StoreFinding> VerifyAsync(StoreScope scope, Action<long, long>? progress, CancellationToken cancellation) => inner.VerifyAsync(scope, progress, cancellation);

    public override ValueTask<StoreFinding?> RepairAsync(StoreFinding finding, string quarantine, CheckpointKey? key, CancellationToken cancellation) =>
        inner.RepairAsync(finding, quarantine, key, cancellation);
}
