using System.Runtime.CompilerServices;

namespace Checkpoint;

/// <summary>Checkpoints in what a driver gives: every checkpoint, record of a run, history and journal is a key with entries.</summary>
/// <param name="driver">The driver.</param>
/// <param name="time">The clock.</param>
internal sealed class DriverStore(StoreDriver driver, TimeProvider? time = null) : CheckpointStore
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly DriverFaults _faults = new(driver.Location);
    private readonly DriverRecords _records = new(driver.Location);

    public override string Location => driver.Location;

    public override ValueTask<CheckpointInfo> SaveAsync(CheckpointDraft draft, CancellationToken cancellation) =>
        new(_faults.Guard($"Saving checkpoint {draft.Stage}", draft.Stage.Name, () => new DriverSave(driver, _records, draft).Run(cancellation)));

    public override ValueTask<bool> ReplaceEncryptionAsync(CheckpointInfo checkpoint, Envelope encryption, CancellationToken cancellation) =>
        new(_faults.Guard($"Changing the key of checkpoint {checkpoint.StageId}", checkpoint.Name, () =>
        {
            if (Entry(checkpoint.StageId, checkpoint.Step, cancellation) is not { } entry || entry.Revision != checkpoint.Revision)
                return false;
            var record = RecordFormat.WithEncryption(entry.Record, encryption);
            return DriverCall.Wait(() => driver.ReplaceRecordAsync(entry, record, SealedJson.ChecksumOf(record), cancellation));
        }));

    public override ValueTask<StageListing?> FindAsync(StageId stage, CancellationToken cancellation) =>
        new(Reading(stage, () => Entry(stage, null, cancellation) is { } newest ? Listing(newest, stage, cancellation) : null));

    public override async IAsyncEnumerable<StageListing> ListAsync(StageQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        foreach (var listing in _faults.Guard("Listing checkpoints", driver.Location, List(query, cancellation)))
            yield return listing;
    }

    public override ValueTask<CheckpointReading> ReadAsync(StageId stage, long step, CancellationToken cancellation) =>
        new(Reading(stage, () => _records.Read(Entry(stage, step, cancellation), stage)));

    public override ValueTask<StateReader> OpenStateAsync(CheckpointInfo checkpoint, Action<long>? progress, CancellationToken cancellation)
    {
        var state = checkpoint.State!;
        if (state.Payload is not { } name)
            return new(new StateReader(state, null));
        var payload = Reading(checkpoint.StageId, () => DriverCall.Wait(() => driver.OpenPayloadAsync(DriverKeys.Of(checkpoint.StageId), checkpoint.Step, name, cancellation)));
        return new(payload is null ? throw CheckpointErrors.Damaged(checkpoint.StageId, checkpoint.Step, checkpoint.Location, "its payload is missing")
            : new StateReader(state, new DriverPayload(payload, _faults, checkpoint.StageId), progress));
    }

    public override ValueTask<int> RemoveAsync(StageId stage, IReadOnlyCollection<DoomedStep>? steps, LeaseFence? held, CancellationToken cancellation) =>
        new(_faults.Guard($"Clearing checkpoint {stage}", stage.Name, () =>
        {
            if (steps is null)
                RemoveItems(stage, held, cancellation);
            return Remove(DriverKeys.Of(stage), steps?.Select(s => new StoreStep(s.Step, s.Revision)).ToList(), held, cancellation);
        }));

    public override ValueTask AppendHistoryAsync(string pipeline, IReadOnlyList<CheckpointEvent> events, CancellationToken cancellation)
    {
        _faults.Guard($"Writing the history of pipeline '{pipeline}'", pipeline, () => new DriverHistory(driver).Append(pipeline, events, cancellation));
        return default;
    }

    public override async IAsyncEnumerable<CheckpointEvent> ReadHistoryAsync(NamePattern pipeline, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        foreach (var entry in _faults.Guard("Reading the history", driver.Location, new DriverHistory(driver).Read(pipeline, cancellation)))
            yield return entry;
    }

    public override ValueTask<ItemLog> OpenItemsAsync(StageId stage, Lease? lease, CancellationToken cancellation) => new(new DriverItems(driver, _faults, _records, stage, lease, cancellation));

    public override ValueTask WriteRunAsync(CheckpointRun run, CancellationToken cancellation)
    {
        _faults.Guard($"Writing the record of run '{run.Run}'", run.Run, () => Write(DriverKeys.OfRun(run.Pipeline, run.Run), RunFormat.Serialize(run), cancellation));
        return default;
    }

    public override async IAsyncEnumerable<RunReading> ListRunsAsync(NamePattern pipeline, NamePattern run, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        var entries = DriverCall.Items(() => driver.ListAsync(DriverKeys.Query(DriverKeys.Run, pipeline, run, NamePattern.Any), cancellation));
        foreach (var entry in _faults.Guard("Listing runs", driver.Location, entries))
        {
            var reading = ReadRun(entry);
            if (pipeline.IsMatch(reading.Run?.Pipeline ?? entry.Key.Pipeline) && run.IsMatch(reading.Run?.Run ?? entry.Key.Run ?? ""))
                yield return reading;
        }
    }

    public override ValueTask<byte[]?> ReadDocumentAsync(DocumentName document, CancellationToken cancellation) =>
        new(_faults.Guard($"Reading {document}", document.Name, () => DriverCall.Wait(() => driver.ReadAsync(DriverKeys.Of(document), null, cancellation))?.Record.ToArray()));

    public override ValueTask WriteDocumentAsync(DocumentName document, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        _faults.Guard($"Writing {document}", document.Name, () => Write(DriverKeys.Of(document), bytes, cancellation));
        return default;
    }

    public override ValueTask<LeaseAttempt> TryLeaseAsync(LeaseName lease, LeaseHolder holder, TimeSpan? duration, CancellationToken cancellation) =>
        new(_faults.Guard($"Taking the lease of {lease}", Target(lease), () => new DriverLeases(driver, _time).TryTake(lease, holder, duration, cancellation)));

    public override ValueTask<LeaseHolder?> FindLeaseAsync(LeaseName lease, CancellationToken cancellation) =>
        new(_faults.Guard($"Looking at the lease of {lease}", Target(lease), () => new DriverLeases(driver, _time).Find(lease, cancellation)));

    public override ValueTask WaitForChangeAsync(StageId stage, TimeSpan atMost, TimeProvider time, CancellationToken cancellation)
    {
        _faults.Guard($"Waiting for checkpoint {stage}", stage.Name, () =>
        {
            DriverCall.Wait(() => driver.WaitForChangeAsync(DriverKeys.Of(stage), atMost, cancellation));
            return true;
        });
        return default;
    }

    public override async IAsyncEnumerable<StoreFinding> VerifyAsync(StoreScope scope, Action<long, long>? progress, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        foreach (var finding in _faults.Guard("Verifying", driver.Location, new DriverVerifier(driver, _faults, _records, scope.Key).Verify(scope, progress, cancellation)))
            yield return finding;
    }

    public override ValueTask<StoreFinding?> RepairAsync(StoreFinding finding, string quarantine, CheckpointKey? key, CancellationToken cancellation) =>
        new(_faults.Guard($"Repairing '{finding.Location}'", finding.Location, () => new DriverRepair(driver, _faults, _records, _time, quarantine, key).Repair(finding, cancellation)));

    private static string Target(LeaseName lease) => lease.Name ?? lease.Run ?? lease.Pipeline;

    private T Reading<T>(StageId stage, Func<T> read) => _faults.Guard($"Reading checkpoint {stage}", stage.Name, read);

    private StoreEntry? Entry(StageId stage, long? step, CancellationToken cancellation) => DriverCall.Wait(() => driver.ReadAsync(DriverKeys.Of(stage), step, cancellation));

    private int Remove(StoreKey key, IReadOnlyCollection<StoreStep>? steps, LeaseFence? held, CancellationToken cancellation) =>
        DriverCall.Wait(() => driver.RemoveAsync(key, steps, held?.OfDriver, cancellation));

    private StageListing Listing(StoreEntry newest, StageId named, CancellationToken cancellation)
    {
        var reading = _records.Read(newest, named);
        var stage = reading.Info?.StageId ?? named;
        var steps = new DriverSteps(newest.Step, () => Reading(stage, () => DriverCall.Wait(() => driver.ListStepsAsync(newest.Key, cancellation))));
        return new StageListing(stage, steps, reading) { FindItems = () => HasItems(stage, cancellation) };
    }

    private bool HasItems(StageId stage, CancellationToken cancellation) => Reading(stage, () => DriverCall.Wait(() => driver.ReadAsync(DriverKeys.Of(stage, DriverKeys.Items), null, cancellation))) is not null;

    private IEnumerable<StageListing> List(StageQuery query, CancellationToken cancellation)
    {
        var listings = List(query, DriverKeys.Checkpoint, cancellation).Select(entry => Listing(entry, Named(entry.Key), cancellation));
        if (query.WithLeftovers)
        {
            // Of a stage that has nothing but a journal of items.
            var left = List(query, DriverKeys.Items, cancellation).Where(entry => Entry(Named(entry.Key), null, cancellation) is null)
                .Select(entry => new StageListing(Named(entry.Key), [], default) { FindItems = static () => true });
            listings = listings.Concat(left.ToList());
        }
        return listings.Where(listing => query.Includes(listing.Stage));
    }

    private IEnumerable<StoreEntry> List(StageQuery query, string kind, CancellationToken cancellation) =>
        DriverCall.Items(() => driver.ListAsync(DriverKeys.Query(kind, query.Pipeline, query.Run, query.Name), cancellation));

    // What no record tells is named as it is compared.
    private static StageId Named(StoreKey key) => new(key.Pipeline, key.Run, key.Name!);

    // The journal goes first: were the clearing cut off between the two, a stage that is not complete would be completed without an item being run.
    private void RemoveItems(StageId stage, LeaseFence? held, CancellationToken cancellation)
    {
        if (!HasItems(stage, cancellation))
            return;
        using var own = held is null ? LeaseItems(stage, cancellation) : null;
        // Whoever is at work on the items meanwhile, because this process stood still for too long, keeps its journal.
        foreach (var kind in new[] { DriverKeys.Items, DriverKeys.ItemOutput, DriverKeys.ItemWorker })
            Remove(DriverKeys.Of(stage, kind), null, held ?? own!.Fence, cancellation);
    }

    private Lease LeaseItems(StageId stage, CancellationToken cancellation)
    {
        var name = new LeaseName(stage);
        var (lease, holder) = new DriverLeases(driver, _time).TryTake(name, LeaseHolder.Self(_time), null, cancellation);
        return lease ?? throw CheckpointErrors.LeaseHeld(name, driver.Location, holder);
    }

    private bool Write(StoreKey key, ReadOnlyMemory<byte> document, CancellationToken cancellation) => DriverCall.Wait(async () =>
    {
        await using var save = await driver.BeginSaveAsync(key, cancellation);
        await save.CommitAsync(new StoreCommit { Step = 0, Overwrite = true, MakeRecord = (_, _) => (document, SealedJson.ChecksumOf(document.Span)) }, cancellation);
        return true;
    });

    private RunReading ReadRun(StoreEntry entry)
    {
        var (name, place) = (entry.Key.Run ?? "", _records.Place(entry.Key, null));
        try
        {
            var run = RunFormat.Parse(entry.Record);
            return DriverKeys.OfRun(run.Pipeline, run.Run) == entry.Key ? new RunReading(run with { Store = driver.Location }, null)
                : throw new InvalidDataException($"it belongs to another run, '{run.Run}' of pipeline '{run.Pipeline}'");
        }
        catch (InvalidDataException e)
        {
            return new RunReading(null, CheckpointErrors.RunDamaged(name, place, e));
        }
        catch (RecordTooNewException e)
        {
            return new RunReading(null, CheckpointErrors.RunTooNew(name, place, e.Version, RunFormat.Version));
        }
    }
}
