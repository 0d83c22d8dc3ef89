namespace Checkpoint;

/// <summary>A place where checkpoints live. What a store must do, for every kind of store.</summary>
/// <remarks>
/// A record can be seen only when it and its payload are safe in full. Readers hinder nobody. All methods may be called from several threads and processes at once.
/// </remarks>
internal abstract class CheckpointStore
{
    /// <summary>The store's name to the user: a folder path or a URI.</summary>
    public abstract string Location { get; }

    /// <summary>The second store that gets what this one does, or null.</summary>
    public virtual Replica? Replica => null;

    /// <summary>Whether there is anything of the store where it should be; false where it may be a share that is not mounted, or that nothing was saved yet. A store that is asked over a network is there, and says in its errors when it is not.</summary>
    public virtual bool IsThere => true;

    /// <summary>Commits a checkpoint durably; when this returns, no loss of power can take it back.</summary>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.CheckpointExists"/>, or an error of the store; nothing was changed then.</exception>
    public abstract ValueTask<CheckpointInfo> SaveAsync(CheckpointDraft draft, CancellationToken cancellation);

    /// <summary>Replaces what the record of an encrypted checkpoint says of its encryption, durably and whole, and nothing else of it.</summary>
    /// <param name="checkpoint">The checkpoint as it was read.</param>
    /// <param name="encryption">What it says from then on.</param>
    /// <param name="cancellation">Ends the waiting for other writers.</param>
    /// <returns>False where the record was removed, or is another one by now; then nothing was done.</returns>
    public abstract ValueTask<bool> ReplaceEncryptionAsync(CheckpointInfo checkpoint, Envelope encryption, CancellationToken cancellation);

    /// <summary>Finds one stage.</summary>
    /// <returns>Null where it has no checkpoint.</returns>
    public abstract ValueTask<StageListing?> FindAsync(StageId stage, CancellationToken cancellation);

    /// <summary>Finds one stage like <see cref="FindAsync"/>, but may answer from memory where nothing seems to have changed: for questions, never for what is then read or removed.</summary>
    public virtual ValueTask<StageListing?> RecallAsync(StageId stage, CancellationToken cancellation) => FindAsync(stage, cancellation);

    /// <summary>Finds many stages, by pipeline, run and name in the order of their keys.</summary>
    public abstract IAsyncEnumerable<StageListing> ListAsync(StageQuery query, CancellationToken cancellation);

    /// <summary>Reads one record and checks that it and its payload are there in full.</summary>
    public abstract ValueTask<CheckpointReading> ReadAsync(StageId stage, long step, CancellationToken cancellation);

    /// <summary>Opens a saved state. The checkpoint must have one.</summary>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.CheckpointDamaged"/></exception>
    public abstract ValueTask<StateReader> OpenStateAsync(CheckpointInfo checkpoint, Action<long>? progress, CancellationToken cancellation);

    /// <summary>Removes steps of a stage, intact or not. What is not there is passed over.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="steps">The steps, or null for all. One whose revision is given is removed only if it still has that: nobody can save over it in between.</param>
    /// <param name="held">The lease of the stage where the caller has it: with all steps the journal of items goes too, at which nobody else may be at work.</param>
    /// <param name="cancellation">Stops between two removals.</param>
    /// <returns>How many were removed.</returns>
    public abstract ValueTask<int> RemoveAsync(StageId stage, IReadOnlyCollection<DoomedStep>? steps, LeaseFence? held, CancellationToken cancellation);

    /// <summary>The same by who has no lease.</summary>
    public ValueTask<int> RemoveAsync(StageId stage, IReadOnlyCollection<DoomedStep>? steps, CancellationToken cancellation) => RemoveAsync(stage, steps, null, cancellation);

    /// <summary>Adds to the history of a pipeline, which nothing here ever takes back. It need not outlast a loss of power at once.</summary>
    public abstract ValueTask AppendHistoryAsync(string pipeline, IReadOnlyList<CheckpointEvent> events, CancellationToken cancellation);

    /// <summary>The histories of pipelines, each oldest first, the pipelines in the order of their keys.</summary>
    public abstract IAsyncEnumerable<CheckpointEvent> ReadHistoryAsync(NamePattern pipeline, CancellationToken cancellation);

    /// <summary>Opens the journal of a stage's items. It is removed with all of the stage, and by nothing else.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="lease">The lease without which nothing is to be written: that of the stage for one writer alone, or that of one who writes it together with others. Null for who only reads it.</param>
    /// <param name="cancellation">Ends the opening.</param>
    public abstract ValueTask<ItemLog> OpenItemsAsync(StageId stage, Lease? lease, CancellationToken cancellation);

    /// <summary>Opens the journal of a stage's items to read it, beside whoever writes it. Nothing is changed; one that is not there has no entries.</summary>
    public virtual ValueTask<ItemLog> ReadItemsAsync(StageId stage, CancellationToken cancellation) => OpenItemsAsync(stage, null, cancellation);

    /// <summary>Opens the journal of a stage's items for one reader or writer alone.</summary>
    public ValueTask<ItemLog> OpenItemsAsync(StageId stage, CancellationToken cancellation) => OpenItemsAsync(stage, null, cancellation);

    /// <summary>Writes the record of a run, durably and whole, in place of the one there was.</summary>
    public abstract ValueTask WriteRunAsync(CheckpointRun run, CancellationToken cancellation);

    /// <summary>The runs that fit, in the order of their keys.</summary>
    public abstract IAsyncEnumerable<RunReading> ListRunsAsync(NamePattern pipeline, NamePattern run, CancellationToken cancellation);

    /// <summary>Reads a small document.</summary>
    /// <returns>Null where there is none.</returns>
    public abstract ValueTask<byte[]?> ReadDocumentAsync(DocumentName document, CancellationToken cancellation);

    /// <summary>Writes a small document, durably and whole, in place of the one there was.</summary>
    public abstract ValueTask WriteDocumentAsync(DocumentName document, ReadOnlyMemory<byte> bytes, CancellationToken cancellation);

    /// <summary>
    /// Tries to become the only one to work on something, until the lease is disposed of or the process ends. Those who work on a stage's items together have a lease each; nobody has such a one while
    /// somebody has that of the stage, nor the other way round.
    /// </summary>
    /// <param name="lease">What it is on.</param>
    /// <param name="holder">Who takes it.</param>
    /// <param name="duration">For how long a holder that neither ends nor renews it keeps it, such as one that was stopped; null for ever.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public abstract ValueTask<LeaseAttempt> TryLeaseAsync(LeaseName lease, LeaseHolder holder, TimeSpan? duration, CancellationToken cancellation);

    /// <summary>The same for as long as the process lives.</summary>
    public ValueTask<LeaseAttempt> TryLeaseAsync(LeaseName lease, LeaseHolder holder, CancellationToken cancellation) => TryLeaseAsync(lease, holder, null, cancellation);

    /// <summary>Who has a lease now, or null. Of a stage it is also who works on its items together with others.</summary>
    public abstract ValueTask<LeaseHolder?> FindLeaseAsync(LeaseName lease, CancellationToken cancellation);

    /// <summary>Waits until something may have changed in a stage: returns at the latest after a while, and may return for no reason.</summary>
    public virtual async ValueTask WaitForChangeAsync(StageId stage, TimeSpan atMost, TimeProvider time, CancellationToken cancellation) => await Task.Delay(atMost, time, cancellation);

    /// <summary>Verifies every byte of what is meant, beside readers and writers. What cannot be read is a finding, and no error.</summary>
    /// <param name="scope">What is meant.</param>
    /// <param name="progress">Told the bytes done and the bytes in all, on the caller's thread.</param>
    /// <param name="cancellation">Ends it.</param>
    public abstract IAsyncEnumerable<StoreFinding> VerifyAsync(StoreScope scope, Action<long, long>? progress, CancellationToken cancellation);

    /// <summary>Sees to something that <see cref="VerifyAsync"/> found, by the locks that writers take, if it is still so. What is damaged is kept, apart from the rest.</summary>
    /// <param name="finding">What was found.</param>
    /// <param name="quarantine">The name of this repair, under which what is damaged is kept.</param>
    /// <param name="key">What it was found with, or null.</param>
    /// <param name="cancellation">Ends it between two steps.</param>
    /// <returns>The finding with what was done, or null where there is nothing to do any more.</returns>
    public abstract ValueTask<StoreFinding?> RepairAsync(StoreFinding finding, string quarantine, CheckpointKey? key, CancellationToken cancellation);

    /// <summary>Whether anything was ever saved in it.</summary>
    public async ValueTask<bool> HoldsAnythingAsync(CancellationToken cancellation)
    {
        await foreach (var _ in ReadHistoryAsync(NamePattern.Any, cancellation))
            return true;
        foreach (var run in new NamePattern?[] { null, NamePattern.Any })
        {
            await foreach (var _ in ListAsync(new StageQuery { Pipeline = NamePattern.Any, Run = run }, cancellation))
                return true;
        }
        return false;
    }
}
