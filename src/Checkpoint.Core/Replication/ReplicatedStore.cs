using System.Collections.Concurrent;

namespace Checkpoint;

/// <summary>
/// A store with a replica. The store alone decides: steps, leases and refusals are its. What it took the replica gets too, at once or behind the work; and where it is away, the replica is read in its
/// place, never written.
/// </summary>
/// <param name="primary">The store.</param>
/// <param name="replica">Its replica.</param>
/// <param name="mode">When a save is done.</param>
/// <param name="queue">What the replica gets behind the work.</param>
/// <param name="time">The clock.</param>
/// <param name="warn">Told, on any thread, what a person should know.</param>
/// <remarks>One serves one call of a cmdlet: what was once read from the replica is then read from it to the end.</remarks>
internal sealed class ReplicatedStore(CheckpointStore primary, CheckpointStore replica, ReplicaMode mode, ReplicaQueue queue, TimeProvider time, Action<string> warn) : CheckpointStore
{
    // A store that is asked in vain may take long for each question (a minute in PostgreSQL, which may be failing over), so the next calls of a script do not ask it again at once, but for twice that time.
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);

    private static readonly ConcurrentDictionary<string, (long At, TimeSpan For, CheckpointException Fault)> Away = new(StringComparer.Ordinal);

    private readonly StepReplication _steps = new(primary, replica, queue.Tick);
    private CheckpointException? _away;

    public override string Location => primary.Location;

    public override Replica? Replica => new(replica.Location, mode);

    public override async ValueTask<CheckpointInfo> SaveAsync(CheckpointDraft draft, CancellationToken cancellation)
    {
        RequirePrimary(cancellation);
        var saved = await primary.SaveAsync(draft, cancellation);
        IsBack();
        await SendStepsAsync(saved.StageId, [saved.Step], cancellation);
        if (draft.Note is { IsWritten: true, Event: { } entry })
            await SendNoteAsync(entry, cancellation);
        return saved;
    }

    public override async ValueTask<bool> ReplaceEncryptionAsync(CheckpointInfo checkpoint, Envelope encryption, CancellationToken cancellation)
    {
        RequirePrimary(cancellation);
        var isReplaced = await primary.ReplaceEncryptionAsync(checkpoint, encryption, cancellation);
        IsBack();
        if (isReplaced)
            await SendStepsAsync(checkpoint.StageId, [checkpoint.Step], cancellation);
        return isReplaced;
    }

    public override async ValueTask<int> RemoveAsync(StageId stage, IReadOnlyCollection<DoomedStep>? steps, LeaseFence? held, CancellationToken cancellation)
    {
        RequirePrimary(cancellation);
        var removed = await primary.RemoveAsync(stage, steps, held, cancellation);
        IsBack();
        await SendStepsAsync(stage, steps is null ? null : [.. steps.Select(s => s.Step)], cancellation);
        return removed;
    }

    public override async ValueTask AppendHistoryAsync(string pipeline, IReadOnlyList<CheckpointEvent> events, CancellationToken cancellation)
    {
        // Who reads the replica in its place has done nothing that must be told, and does not wait for the store once more.
        if (_away is not null)
            return;
        RequirePrimary(cancellation);
        await primary.AppendHistoryAsync(pipeline, events, cancellation);
        await SendAsync("The history", () => replica.AppendHistoryAsync(pipeline, events, default));
    }

    public override async ValueTask WriteRunAsync(CheckpointRun run, CancellationToken cancellation)
    {
        RequirePrimary(cancellation);
        await primary.WriteRunAsync(run, cancellation);
        IsBack();
        // As the store has it by then: another process may have gone on with it.
        await SendAsync($"The record of run '{run.Run}'", () => BringAsync(
            async () => (await FindRunAsync(run)) is { } now ? RunFormat.Serialize(now) : null,
            async () => await replica.WriteRunAsync(await FindRunAsync(run) ?? run, default)));
    }

    public override async ValueTask WriteDocumentAsync(DocumentName document, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        RequirePrimary(cancellation);
        await primary.WriteDocumentAsync(document, bytes, cancellation);
        IsBack();
        await SendAsync($"The record of {document}", () => BringAsync(
            async () => await primary.ReadDocumentAsync(document, default),
            async () => await replica.WriteDocumentAsync(document, await primary.ReadDocumentAsync(document, default) ?? bytes, default)));
    }

    public override ValueTask<StageListing?> FindAsync(StageId stage, CancellationToken cancellation) =>
        AskAsync(store => store.FindAsync(stage, cancellation), async () => Seen(await replica.FindAsync(stage.Elsewhere, cancellation)), cancellation);

    public override ValueTask<StageListing?> RecallAsync(StageId stage, CancellationToken cancellation) =>
        AskAsync(store => store.RecallAsync(stage, cancellation), async () => Seen(await replica.FindAsync(stage.Elsewhere, cancellation)), cancellation);

    public override ValueTask<CheckpointReading> ReadAsync(StageId stage, long step, CancellationToken cancellation) =>
        AskAsync(store => store.ReadAsync(stage, step, cancellation), async () => Seen(await replica.ReadAsync(stage.Elsewhere, step, cancellation)), cancellation);

    public override IAsyncEnumerable<StageListing> ListAsync(StageQuery query, CancellationToken cancellation) => AskAllAsync(store => store.ListAsync(query, cancellation), listing => Seen(listing)!, cancellation);

    public override IAsyncEnumerable<CheckpointEvent> ReadHistoryAsync(NamePattern pipeline, CancellationToken cancellation) =>
        AskAllAsync(store => store.ReadHistoryAsync(pipeline, cancellation), static entry => entry, cancellation);

    public override IAsyncEnumerable<RunReading> ListRunsAsync(NamePattern pipeline, NamePattern run, CancellationToken cancellation) =>
        AskAllAsync(store => store.ListRunsAsync(pipeline, run, cancellation), reading => reading.Run is { } found ? new RunReading(found with { Store = primary.Location }, null) : reading, cancellation);

    public override ValueTask<byte[]?> ReadDocumentAsync(DocumentName document, CancellationToken cancellation) =>
        AskAsync(store => store.ReadDocumentAsync(document, cancellation), () => replica.ReadDocumentAsync(document, cancellation), cancellation);

    public override ValueTask<StateReader> OpenStateAsync(CheckpointInfo checkpoint, Action<long>? progress, CancellationToken cancellation) =>
        checkpoint.IsOfReplica ? replica.OpenStateAsync(checkpoint, progress, cancellation)
        : AskAsync(store => store.OpenStateAsync(checkpoint, progress, cancellation), () => OpenReplicaAsync(checkpoint, progress, cancellation), cancellation);

    public override async ValueTask<ItemLog> OpenItemsAsync(StageId stage, Lease? worker, CancellationToken cancellation)
    {
        RequirePrimary(cancellation);
        var items = await primary.OpenItemsAsync(stage, worker, cancellation);
        IsBack();
        return items;
    }

    public override async ValueTask<ItemLog> ReadItemsAsync(StageId stage, CancellationToken cancellation)
    {
        RequirePrimary(cancellation);
        var items = await primary.ReadItemsAsync(stage, cancellation);
        IsBack();
        return items;
    }

    // Who has the right to work by the store goes by what the store says from then on.
    public override async ValueTask<LeaseAttempt> TryLeaseAsync(LeaseName lease, LeaseHolder holder, TimeSpan? duration, CancellationToken cancellation)
    {
        RequirePrimary(cancellation);
        var attempt = await primary.TryLeaseAsync(lease, holder, duration, cancellation);
        IsBack();
        return attempt;
    }

    public override ValueTask<LeaseHolder?> FindLeaseAsync(LeaseName lease, CancellationToken cancellation) => _away is null ? primary.FindLeaseAsync(lease, cancellation) : throw _away;

    public override ValueTask WaitForChangeAsync(StageId stage, TimeSpan atMost, TimeProvider time, CancellationToken cancellation) =>
        _away is null ? primary.WaitForChangeAsync(stage, atMost, time, cancellation) : base.WaitForChangeAsync(stage, atMost, time, cancellation);

    public override IAsyncEnumerable<StoreFinding> VerifyAsync(StoreScope scope, Action<long, long>? progress, CancellationToken cancellation) => primary.VerifyAsync(scope, progress, cancellation);

    public override ValueTask<StoreFinding?> RepairAsync(StoreFinding finding, string quarantine, CheckpointKey? key, CancellationToken cancellation) => primary.RepairAsync(finding, quarantine, key, cancellation);

    private async ValueTask SendStepsAsync(StageId stage, IReadOnlyCollection<long>? steps, CancellationToken cancellation)
    {
        if (mode == ReplicaMode.Required)
            await RequireAsync($"What was done with checkpoint {stage}", () => _steps.ReplicateAsync(stage, steps, cancellation));
        else
            queue.Add(() => _steps.ReplicateAsync(stage, steps, default));
    }

    // The event that the store wrote along with a save. A history that cannot be written is no failure of the save.
    private async ValueTask SendNoteAsync(CheckpointEvent entry, CancellationToken cancellation)
    {
        try
        {
            await SendAsync("The history", () => replica.AppendHistoryAsync(entry.Pipeline, [entry], mode == ReplicaMode.Required ? cancellation : default));
        }
        catch (CheckpointException e)
        {
            warn(e.Message);
        }
    }

    private async ValueTask SendAsync(string what, Func<ValueTask> send)
    {
        if (mode == ReplicaMode.Required)
            await RequireAsync(what, send);
        else
            queue.Add(send);
    }

    private async ValueTask RequireAsync(string what, Func<ValueTask> send)
    {
        try
        {
            await send();
        }
        catch (CheckpointException e)
        {
            throw CheckpointErrors.NotReplicated(what, primary.Location, replica.Location, e);
        }
    }

    private async ValueTask<T> AskAsync<T>(Func<CheckpointStore, ValueTask<T>> ask, Func<ValueTask<T>> askReplica, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        if (!IsAway())
        {
            try
            {
                RequirePrimary(cancellation);
                return await ask(primary);
            }
            catch (CheckpointException e) when (e.Kind == CheckpointErrorKind.StoreUnavailable)
            {
                TurnAway(e, started);
            }
        }
        try
        {
            return await askReplica();
        }
        catch (CheckpointException e) when (e.Kind == CheckpointErrorKind.StoreUnavailable)
        {
            throw CheckpointErrors.BothAway(_away!, replica.Location, e);
        }
    }

    private async IAsyncEnumerable<T> AskAllAsync<T>(Func<CheckpointStore, IAsyncEnumerable<T>> ask, Func<T, T> seen, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        // Only before the first: behind that the other would give some of them twice.
        var (items, isAny) = await AskAsync(store => FirstAsync(ask(store)), () => FirstAsync(ask(replica)), cancellation);
        // Whoever takes them may meanwhile find that the store is back.
        var isOfReplica = _away is not null;
        await using (items)
        {
            for (; isAny; isAny = await items.MoveNextAsync())
                yield return isOfReplica ? seen(items.Current) : items.Current;
        }

        async ValueTask<(IAsyncEnumerator<T>, bool)> FirstAsync(IAsyncEnumerable<T> all)
        {
            var enumerator = all.GetAsyncEnumerator(cancellation);
            try
            {
                return (enumerator, await enumerator.MoveNextAsync());
            }
            catch
            {
                await enumerator.DisposeAsync();
                throw;
            }
        }
    }

    private async ValueTask<StateReader> OpenReplicaAsync(CheckpointInfo checkpoint, Action<long>? progress, CancellationToken cancellation) =>
        (await replica.ReadAsync(checkpoint.StageId, checkpoint.Step, cancellation)).Info is { } copy && StepCopy.IsSame(checkpoint, copy)
            ? await replica.OpenStateAsync(copy, progress, cancellation)
            : throw _away!;

    // On this thread: a state is written on the caller's.
    private void RequirePrimary(CancellationToken cancellation)
    {
        if (primary.IsThere)
            return;
        try
        {
            if (!replica.HoldsAnythingAsync(cancellation).AsTask().GetAwaiter().GetResult())
                return;
        }
        catch (CheckpointException e) when (e.Kind == CheckpointErrorKind.StoreUnavailable)
        {
            throw CheckpointErrors.BothGone(primary.Location, replica.Location, e);
        }
        throw CheckpointErrors.PrimaryGone(primary.Location, replica.Location);
    }

    // Until the replica has what the store has, whoever else brings it there at the same time.
    private async ValueTask BringAsync(Func<ValueTask<ReadOnlyMemory<byte>?>> read, Func<ValueTask> write)
    {
        for (var before = await read(); ;)
        {
            RequirePrimary(default);
            await write();
            var now = await read();
            if (now is null || (before is { } known && known.Span.SequenceEqual(now.Value.Span)))
                return;
            before = now;
        }
    }

    private async ValueTask<CheckpointRun?> FindRunAsync(CheckpointRun run)
    {
        await foreach (var reading in primary.ListRunsAsync(NamePattern.Of(run.Pipeline), NamePattern.Of(run.Run), default))
            return reading.Run;
        return null;
    }

    private bool IsAway()
    {
        if (_away is null && Away.TryGetValue(primary.Location, out var known))
        {
            if (time.GetElapsedTime(known.At) < known.For)
                TurnAway(known.Fault, time.GetTimestamp());
            else
                IsBack();
        }
        return _away is not null;
    }

    private void TurnAway(CheckpointException fault, long asked)
    {
        _away = fault;
        if (time.GetElapsedTime(asked) is var took && took > Slow)
            Away[primary.Location] = (time.GetTimestamp(), 2 * took, fault);
        warn(CheckpointErrors.PrimaryAway(primary.Location, replica.Location, fault));
    }

    private void IsBack()
    {
        _away = null;
        Away.TryRemove(primary.Location, out _);
    }

    // As of the store: what is piped on means the store, which refuses then, and not the replica, which would be changed alone.
    private CheckpointReading Seen(CheckpointReading reading) => reading.Info is { } info ? new CheckpointReading(info.OfReplica(primary.Location)) : reading;

    private StageListing? Seen(StageListing? listing) => listing is null ? null : listing with { Stage = listing.Stage.Elsewhere, Newest = Seen(listing.Newest) };
}
