namespace Checkpoint.Tests;

/// <summary>Another driver's store whose writes fail from some moment on, as after the loss of a connection.</summary>
/// <param name="inner">The driver.</param>
/// <param name="mayWrite">Asked before each write.</param>
internal sealed class CutDriver(StoreDriver inner, Func<bool> mayWrite) : StoreDriver
{
    public override string Location => inner.Location;

    public override async ValueTask<StoreSave> BeginSaveAsync(StoreKey key, CancellationToken cancellation) => new Save(await inner.BeginSaveAsync(key, cancellation), Check);

    public override ValueTask<StoreEntry?> ReadAsync(StoreKey key, long? step, CancellationToken cancellation) => inner.ReadAsync(key, step, cancellation);

    public override ValueTask<IReadOnlyList<long>> ListStepsAsync(StoreKey key, CancellationToken cancellation) => inner.ListStepsAsync(key, cancellation);

    public override IAsyncEnumerable<StoreEntry> ReadAboveAsync(StoreKey key, long step, CancellationToken cancellation) => inner.ReadAboveAsync(key, step, cancellation);

    public override IAsyncEnumerable<StoreEntry> ListAsync(StoreQuery query, CancellationToken cancellation) => inner.ListAsync(query, cancellation);

    public override ValueTask<Stream?> OpenPayloadAsync(StoreKey key, long step, string? name, CancellationToken cancellation) => inner.OpenPayloadAsync(key, step, name, cancellation);

    public override ValueTask<bool> ReplaceRecordAsync(StoreEntry entry, ReadOnlyMemory<byte> record, string revision, CancellationToken cancellation)
    {
        Check();
        return inner.ReplaceRecordAsync(entry, record, revision, cancellation);
    }

    public override ValueTask<int> RemoveAsync(StoreKey key, IReadOnlyCollection<StoreStep>? steps, StoreFence? fence, CancellationToken cancellation)
    {
        Check();
        return inner.RemoveAsync(key, steps, fence, cancellation);
    }

    public override ValueTask<(bool IsGranted, StoreLease Lease)> TryLeaseAsync(StoreKey key, string holder, TimeSpan duration, CancellationToken cancellation) => inner.TryLeaseAsync(key, holder, duration, cancellation);

    public override ValueTask<bool> RenewLeaseAsync(StoreFence lease, TimeSpan duration, CancellationToken cancellation) => inner.RenewLeaseAsync(lease, duration, cancellation);

    public override ValueTask ReleaseLeaseAsync(StoreFence lease, CancellationToken cancellation) => inner.ReleaseLeaseAsync(lease, cancellation);

    public override ValueTask<StoreLease?> FindLeaseAsync(StoreKey key, CancellationToken cancellation) => inner.FindLeaseAsync(key, cancellation);

    private void Check()
    {
        if (!mayWrite())
            throw new StoreFaultException(StoreFault.Unavailable, "the connection is lost");
    }

    private sealed class Save(StoreSave inner, Action check) : StoreSave
    {
        public override Stream OpenPayload(string name) => inner.OpenPayload(name);

        public override ValueTask<long?> CommitAsync(StoreCommit commit, CancellationToken cancellation)
        {
            check();
            return inner.CommitAsync(commit, cancellation);
        }

        public override ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
