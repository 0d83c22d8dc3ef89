namespace Checkpoint;

/// <summary>Verifies what a driver's store holds, beside readers and writers. Whatever looks wrong is looked at once more before it is a finding.</summary>
internal sealed class DriverVerifier(StoreDriver driver, DriverFaults faults, DriverRecords records, CheckpointKey? opener)
{
    private const int Attempts = 10;

    private readonly DriverHistory _histories = new(driver);
    private long _done;

    /// <summary>Verifies what is meant.</summary>
    /// <param name="scope">What is meant.</param>
    /// <param name="progress">Told the bytes done; how many there are in all nobody knows before they are read.</param>
    /// <param name="cancellation">Ends it.</param>
    public IEnumerable<StoreFinding> Verify(StoreScope scope, Action<long, long>? progress, CancellationToken cancellation)
    {
        var areAll = scope.Name.IsAny;
        foreach (var runs in scope.Run is null ? new NamePattern?[] { null } : scope.Run.IsAny ? [null, NamePattern.Any] : [scope.Run])
        {
            foreach (var key in Keys(DriverKeys.Checkpoint, scope, runs, cancellation).Where(k => IsMeant(scope, runs, k, cancellation)))
            {
                foreach (var step in DriverCall.Wait(() => driver.ListStepsAsync(key, cancellation)).Reverse())
                {
                    if (VerifyStep(key, step, progress, cancellation) is { } finding)
                        yield return finding;
                }
            }
            foreach (var key in Keys(DriverKeys.Items, scope, runs, cancellation).Where(k => IsMeant(scope, runs, k, cancellation)))
            {
                foreach (var finding in VerifyItems(key, cancellation))
                    yield return finding;
            }
            if (areAll && runs is not null)
            {
                foreach (var key in Keys(DriverKeys.Run, scope, runs, cancellation))
                {
                    if (VerifyRun(key, cancellation) is { } finding)
                        yield return finding;
                }
            }
        }
        if (!areAll || scope.Run is not (null or { IsAny: true }))
            yield break;
        foreach (var key in Keys(DriverKeys.Breaker, scope, null, cancellation))
        {
            if (VerifyBreaker(key, cancellation) is { } finding)
                yield return finding;
        }
        foreach (var key in _histories.Keys(scope.Pipeline, cancellation))
        {
            foreach (var finding in VerifyHistory(key, cancellation))
                yield return finding;
        }
    }

    /// <summary>Verifies one entry of a checkpoint.</summary>
    /// <returns>Null where it is whole, or not there any more.</returns>
    public StoreFinding? VerifyStep(StoreKey key, long step, Action<long, long>? progress, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (Read(key, step, cancellation) is not { } entry)
                return null;
            _done += entry.Record.Length;
            if (Judge(entry, progress, cancellation) is not { } finding)
            {
                progress?.Invoke(_done, 0);
                return null;
            }
            // Overwritten or removed meanwhile: then its payload is gone by rights.
            if (Read(key, step, cancellation) is not { } again)
                return null;
            if (attempt == Attempts || again.Revision == entry.Revision)
                return finding with { Entry = again };
        }
    }

    /// <summary>Verifies the journal of a stage's items, entry by entry, and the outputs that it names.</summary>
    public IEnumerable<StoreFinding> VerifyItems(StoreKey key, CancellationToken cancellation)
    {
        using var log = new DriverItems(driver, faults, records, Named(key), null, cancellation);
        var check = log.Check(opener, cancellation);
        var number = 0L;
        StoreEntry? first = null;
        foreach (var entry in DriverCall.Items(() => driver.ReadAboveAsync(key, 0, cancellation)))
        {
            first ??= entry;
            _done += entry.Record.Length;
            var (lines, bad) = (0, 0);
            foreach (var piece in DriverItems.PiecesOf(entry.Record).TakeWhile(_ => check.TooNew is null))
            {
                cancellation.ThrowIfCancellationRequested();
                lines++;
                bad += check.Judge(piece, ++number, cancellation) ? 0 : 1;
            }
            if (bad > 0 && check.TooNew is null)
                yield return Find(entry, StoreFindingKind.DamagedJournal, $"{bad} of the {lines} lines of an entry of the journal of items are damaged, or the outputs that they name: those items do not count as done, or give nothing.");
        }
        foreach (var (kind, severity, message) in check.Verdicts())
            yield return Find(first!, kind, message, severity) with { Location = records.Place(key, null) };
    }

    /// <summary>Verifies the record of a run.</summary>
    public StoreFinding? VerifyRun(StoreKey key, CancellationToken cancellation) => VerifyDocument(key, StoreFindingKind.DamagedRun, "The record of the run", bytes =>
    {
        var run = RunFormat.Parse(bytes);
        return DriverKeys.OfRun(run.Pipeline, run.Run);
    }, cancellation);

    /// <summary>Verifies the record of a circuit breaker.</summary>
    public StoreFinding? VerifyBreaker(StoreKey key, CancellationToken cancellation) => VerifyDocument(key, StoreFindingKind.DamagedBreaker, "The record of the circuit breaker", bytes =>
    {
        var breaker = CircuitFormat.Parse(bytes);
        return DriverKeys.Of(new DocumentName(breaker.Pipeline, DriverKeys.Breaker, breaker.Name));
    }, cancellation);

    private IEnumerable<StoreFinding> VerifyHistory(StoreKey key, CancellationToken cancellation)
    {
        // Of an append that was cut off a driver leaves nothing: what is not whole is damage.
        var chain = new HistoryChain(FolderLayout.Escape(key.Pipeline), null, mayBeTorn: false);
        StoreEntry? last = null;
        foreach (var entry in DriverCall.Items(() => driver.ReadAboveAsync(key, 0, cancellation)))
        {
            foreach (var line in DriverItems.LinesOf(entry.Record))
                chain.Add(line.Span);
            _done += entry.Record.Length;
            last = entry;
        }
        if (last is null)
            yield break;
        foreach (var found in chain.Breaks)
            yield return Find(last, StoreFindingKind.HistoryBroken, found.Text, found.Severity);
        if (chain.Untold > 0)
            yield return Find(last, StoreFindingKind.HistoryBroken, chain.UntoldText);
    }

    private StoreFinding? VerifyDocument(StoreKey key, StoreFindingKind kind, string what, Func<ReadOnlyMemory<byte>, StoreKey> parse, CancellationToken cancellation)
    {
        if (Read(key, null, cancellation) is not { } entry)
            return null;
        _done += entry.Record.Length;
        try
        {
            return parse(entry.Record) == key ? null : Find(entry, StoreFindingKind.Misplaced, $"{what} is that of another one; it does not count.");
        }
        catch (InvalidDataException e)
        {
            return Find(entry, kind, $"{what} is damaged: {e.Message}.");
        }
        catch (RecordTooNewException e)
        {
            return TooNew(entry, e);
        }
    }

    private StoreFinding? Judge(StoreEntry entry, Action<long, long>? progress, CancellationToken cancellation)
    {
        try
        {
            var info = records.Parse(entry);
            if (DriverKeys.Of(info.StageId) != entry.Key || info.Step != entry.Step)
                return Find(entry, StoreFindingKind.Misplaced, $"The record belongs to another checkpoint, {info.StageId} step {info.Step}. It does not count.");
            if (info.Revision != entry.Revision)
                throw new InvalidDataException("it has the revision of another record");
            var before = _done;
            var judge = new StateJudge(opener, (_, state) => OpenPayload(entry, info, state, cancellation));
            return judge.Judge(info, read => progress?.Invoke(_done = before + read, 0), cancellation) is var (kind, severity, message) ? Find(entry, kind, message, severity) : null;
        }
        catch (InvalidDataException e)
        {
            return Find(entry, StoreFindingKind.DamagedRecord, $"The record is damaged: {e.Message}. The newest intact step counts.");
        }
        catch (RecordTooNewException e)
        {
            return TooNew(entry, e);
        }
    }

    // The stream of a payload, or what is wrong with it.
    private (Stream? Payload, string? Fault) OpenPayload(StoreEntry entry, CheckpointInfo info, StoredState state, CancellationToken cancellation)
    {
        var fault = entry.PayloadLength is null ? "is missing" : entry.PayloadLength != state.PayloadLength ? $"has {entry.PayloadLength} bytes and should have {state.PayloadLength}" : null;
        return fault is null && DriverCall.Wait(() => driver.OpenPayloadAsync(entry.Key, entry.Step, state.Payload!, cancellation)) is { } payload
            ? (new DriverPayload(payload, faults, info.StageId), null) : (null, fault);
    }

    private StoreEntry? Read(StoreKey key, long? step, CancellationToken cancellation) => DriverCall.Wait(() => driver.ReadAsync(key, step, cancellation));

    private List<StoreKey> Keys(string kind, StoreScope scope, NamePattern? run, CancellationToken cancellation) =>
        [.. DriverCall.Items(() => driver.ListAsync(DriverKeys.Query(kind, scope.Pipeline, run, scope.Name), cancellation)).Select(entry => entry.Key).Where(key => scope.Pipeline.IsMatch(key.Pipeline) && (run is null || run.IsMatch(key.Run!)))];

    // A pattern is of the name as it is written, which the record tells.
    private bool IsMeant(StoreScope scope, NamePattern? run, StoreKey key, CancellationToken cancellation)
    {
        if (scope.Name.IsAny)
            return true;
        var stage = Read(key, null, cancellation) is { } entry && records.Read(entry, Named(key)).Info is { } info ? info.StageId : Named(key);
        return scope.Name.IsMatch(stage.Name) && (run is null || run.IsMatch(stage.Run!));
    }

    private static StageId Named(StoreKey key) => new(key.Pipeline, key.Run, key.Name!);

    private StoreFinding TooNew(StoreEntry entry, RecordTooNewException e) =>
        Find(entry, StoreFindingKind.FormatTooNew, $"It was written in format {e.Version}, which this version of Checkpoint does not know. Update the module on this machine to verify it.", FindingSeverity.Warning);

    private StoreFinding Find(StoreEntry entry, StoreFindingKind kind, string message, FindingSeverity severity = FindingSeverity.Error) => new()
    {
        Kind = kind,
        Severity = severity,
        Store = driver.Location,
        Pipeline = entry.Key.Pipeline,
        Run = entry.Key.Run,
        Name = entry.Key.Name,
        Step = entry.Key.Kind == DriverKeys.Checkpoint ? entry.Step : null,
        Location = records.Place(entry.Key, entry.Step),
        Message = message,
        Entry = entry,
    };
}
