namespace Checkpoint;

/// <summary>A kind of place for checkpoints: all that somebody has to write who wants to keep them in a database or a service.</summary>
/// <remarks>
/// <para>
/// A store is a table of entries. An entry is a numbered step under a key: a record, which is some bytes, and perhaps a payload, which is a stream of any length. What the bytes say is none of a driver's
/// business: checkpoints, records of runs, histories and journals of items are all entries of different kinds. Beside them there are leases.
/// </para>
/// <para>
/// A driver is a public class with a public constructor that takes the store's location, a URI, as its one parameter. The constructor does not connect; what is needed to be there is made at the first
/// write. One instance serves all threads of a process for as long as that lives. A driver throws <see cref="StoreFaultException"/> where the store fails, and <see cref="OperationCanceledException"/> where
/// it was cancelled. It waits for nothing for ever, and gives up within a second when it is cancelled. Its own awaits should use <c>ConfigureAwait(false)</c>.
/// </para>
/// <para>docs/stores.md has an example and the tests that a driver must pass.</para>
/// </remarks>
public abstract class StoreDriver : IAsyncDisposable
{
    /// <summary>The name of the store to users: the location without what is secret in it.</summary>
    public abstract string Location { get; }

    /// <summary>Begins to save an entry.</summary>
    public abstract ValueTask<StoreSave> BeginSaveAsync(StoreKey key, CancellationToken cancellation);

    /// <summary>Reads an entry.</summary>
    /// <param name="key">The key.</param>
    /// <param name="step">The step, or null for the highest.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <returns>Null where there is none. Whoever reads waits for no writer and finds the entry whole.</returns>
    public abstract ValueTask<StoreEntry?> ReadAsync(StoreKey key, long? step, CancellationToken cancellation);

    /// <summary>The steps of a key, highest first.</summary>
    public abstract ValueTask<IReadOnlyList<long>> ListStepsAsync(StoreKey key, CancellationToken cancellation);

    /// <summary>The entries of a key with steps above a number, lowest first, as they are at the time when each is read.</summary>
    public abstract IAsyncEnumerable<StoreEntry> ReadAboveAsync(StoreKey key, long step, CancellationToken cancellation);

    /// <summary>The entry with the highest step of each key that is meant, in the order of pipeline, run and name.</summary>
    public abstract IAsyncEnumerable<StoreEntry> ListAsync(StoreQuery query, CancellationToken cancellation);

    /// <summary>Opens the payload of an entry for reading.</summary>
    /// <param name="key">The key.</param>
    /// <param name="step">The step.</param>
    /// <param name="name">Its name; or null for whatever payload the entry has, whose name a damaged record does not tell any more.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <returns>Null where it is not there, or no longer that of this name. A payload that is removed while it is read ends early or throws; it never goes on as another.</returns>
    public abstract ValueTask<Stream?> OpenPayloadAsync(StoreKey key, long step, string? name, CancellationToken cancellation);

    /// <summary>Replaces the record of an entry, durably, and leaves its payload as it is.</summary>
    /// <param name="entry">The entry as it was read.</param>
    /// <param name="record">The new record.</param>
    /// <param name="revision">Its revision.</param>
    /// <param name="cancellation">Ends the wait for other writers.</param>
    /// <returns>False where the entry is gone or has another revision by now.</returns>
    public abstract ValueTask<bool> ReplaceRecordAsync(StoreEntry entry, ReadOnlyMemory<byte> record, string revision, CancellationToken cancellation);

    /// <summary>Removes entries of a key, with their payloads, durably. Either all that are to be removed are, or none; what is not there is passed over.</summary>
    /// <param name="key">The key.</param>
    /// <param name="steps">The steps, or null for all.</param>
    /// <param name="fence">A lease without which nothing must be removed, or null. Where it is not held at that moment this throws <see cref="StoreFault.LeaseLost"/>.</param>
    /// <param name="cancellation">Ends the wait for other writers.</param>
    /// <returns>How many were removed.</returns>
    public abstract ValueTask<int> RemoveAsync(StoreKey key, IReadOnlyCollection<StoreStep>? steps, StoreFence? fence, CancellationToken cancellation);

    /// <summary>Takes a lease where nobody has it, or its time is over by the clock of the store.</summary>
    /// <param name="key">What it is on.</param>
    /// <param name="holder">Who takes it: at most 1,000 characters.</param>
    /// <param name="duration">For how long.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <returns>Whether it was granted; and the lease that is in force now.</returns>
    public abstract ValueTask<(bool IsGranted, StoreLease Lease)> TryLeaseAsync(StoreKey key, string holder, TimeSpan duration, CancellationToken cancellation);

    /// <summary>Has a lease last for so long from now on.</summary>
    /// <returns>False where its time was over, or it was given back.</returns>
    public abstract ValueTask<bool> RenewLeaseAsync(StoreFence lease, TimeSpan duration, CancellationToken cancellation);

    /// <summary>Gives a lease back. One that is not in force any more is passed over.</summary>
    public abstract ValueTask ReleaseLeaseAsync(StoreFence lease, CancellationToken cancellation);

    /// <summary>The lease that is in force on a key, or null.</summary>
    public abstract ValueTask<StoreLease?> FindLeaseAsync(StoreKey key, CancellationToken cancellation);

    /// <summary>Waits until something may have changed under a key: returns at the latest after a while, and may return for no reason.</summary>
    /// <param name="key">The key.</param>
    /// <param name="atMost">The while. Where the store tells nobody of changes the wait is simply over then.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public virtual async ValueTask WaitForChangeAsync(StoreKey key, TimeSpan atMost, CancellationToken cancellation) => await Task.Delay(atMost, cancellation).ConfigureAwait(false);

    /// <summary>Closes what is open.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return default;
    }
}
