using System.Buffers;
using System.Globalization;

namespace Checkpoint;

/// <summary>Sees to findings in a driver's store, if they are still so. What is damaged is kept, as an entry of the kind <c>quarantine</c>, which nothing here reads or removes.</summary>
internal sealed class DriverRepair(StoreDriver driver, DriverFaults faults, DriverRecords records, TimeProvider time, string quarantine, CheckpointKey? opener)
{
    private readonly DriverVerifier _verifier = new(driver, faults, records, opener);

    /// <summary>Sees to a finding.</summary>
    /// <returns>The finding as it was then, with what was done; null where there is nothing to do any more.</returns>
    public StoreFinding? Repair(StoreFinding finding, CancellationToken cancellation)
    {
        if (finding.Entry is not { Key: var key } found)
            return null;
        if (finding.Remedy == FindingAction.Acknowledged)
        {
            new DriverHistory(driver).Append(finding.Pipeline!, [HistoryLog.Describe(time, CheckpointEvents.HistoryBroken, finding.Pipeline!, null, null, null, finding.Message)], cancellation);
            return finding with { Action = FindingAction.Acknowledged };
        }
        if (finding.Remedy != FindingAction.Quarantined)
            return null;
        return key.Kind switch
        {
            DriverKeys.Checkpoint => Take(_verifier.VerifyStep(key, found.Step, null, cancellation), cancellation),
            DriverKeys.Run => Take(_verifier.VerifyRun(key, cancellation), cancellation),
            DriverKeys.Breaker => Take(_verifier.VerifyBreaker(key, cancellation), cancellation),
            DriverKeys.Items => TakeItems(finding, cancellation),
            _ => null,
        };
    }

    // First it is safe in the quarantine, then it is removed, unless it was replaced meanwhile.
    private StoreFinding? Take(StoreFinding? finding, CancellationToken cancellation)
    {
        if (finding is not { Entry: { } entry, Remedy: FindingAction.Quarantined })
            return null;
        var place = Keep(entry, cancellation);
        return DriverCall.Wait(() => driver.RemoveAsync(entry.Key, [new StoreStep(entry.Step, entry.Revision)], null, cancellation)) == 0 ? null : Tell(finding, place, cancellation);
    }

    private StoreFinding? TakeItems(StoreFinding finding, CancellationToken cancellation)
    {
        var stage = new StageId(finding.Pipeline!, finding.Run, finding.Name!);
        var (lease, holder) = new DriverLeases(driver, time).TryTake(new LeaseName(stage), LeaseHolder.Self(time), null, cancellation);
        using (lease ?? throw CheckpointErrors.RepairBusy(finding.Location, driver.Location, holder))
        {
            if (_verifier.VerifyItems(finding.Entry!.Key, cancellation).FirstOrDefault(f => f.Kind == finding.Kind && f.Entry!.Step == finding.Entry.Step) is not { } again)
                return null;
            return finding.Kind == StoreFindingKind.Misplaced ? TakeJournal(again, lease.Fence.OfDriver, cancellation) : TakeLines(again, stage, cancellation);
        }
    }

    private StoreFinding TakeJournal(StoreFinding finding, StoreFence fence, CancellationToken cancellation)
    {
        var place = "";
        // The journal goes last: were it cut off before, that would still be found.
        StoreKey[] keys = [finding.Entry!.Key with { Kind = DriverKeys.ItemOutput }, finding.Entry.Key];
        foreach (var entry in keys.SelectMany(key => DriverCall.Items(() => driver.ReadAboveAsync(key, 0, cancellation))))
            place = Keep(entry, cancellation);
        foreach (var key in keys)
            DriverCall.Wait(() => driver.RemoveAsync(key, null, fence, cancellation));
        return Tell(finding, place, cancellation);
    }

    private StoreFinding? TakeLines(StoreFinding finding, StageId stage, CancellationToken cancellation)
    {
        var entry = finding.Entry!;
        using var log = new DriverItems(driver, faults, records, stage, null, cancellation);
        var check = log.Check(opener, cancellation);
        var good = DriverItems.PiecesOf(entry.Record).Where(piece => check.Judge(piece, 0, cancellation)).ToList();
        var record = new ArrayBufferWriter<byte>(entry.Record.Length + 1);
        // A journal whose head is lost gets another, as far as its key tells the names.
        if (entry.Step == 1 && !good.Exists(piece => ItemFormat.VersionOf(piece.Span) is not null))
            ItemFormat.WriteHead(record, stage);
        foreach (var piece in good)
        {
            record.Write(piece.Span);
            record.Write("\n"u8);
        }
        var place = Keep(entry, cancellation);
        return DriverCall.Wait(() => driver.ReplaceRecordAsync(entry, record.WrittenMemory, NewName(), cancellation)) ? Tell(finding, place, cancellation) : null;
    }

    private string Keep(StoreEntry entry, CancellationToken cancellation)
    {
        var key = entry.Key with { Kind = DriverKeys.Quarantine };
        var save = DriverCall.Wait(() => driver.BeginSaveAsync(key, cancellation));
        try
        {
            CopyPayload(entry, save, cancellation);
            var commit = new StoreCommit { MakeRecord = (_, _) => (entry.Record, $"{quarantine}-{NewName()}") };
            return records.Place(key, DriverCall.Wait(() => save.CommitAsync(commit, cancellation)));
        }
        finally
        {
            DriverCall.Wait(save.DisposeAsync);
        }
    }

    // Whatever its name is: a damaged record does not tell it any more.
    private void CopyPayload(StoreEntry entry, StoreSave save, CancellationToken cancellation)
    {
        if (DriverCall.Wait(() => driver.OpenPayloadAsync(entry.Key, entry.Step, null, cancellation)) is not { } from)
            return;
        using (from)
        {
            using var to = save.OpenPayload(NewName());
            from.CopyTo(to);
        }
    }

    private StoreFinding Tell(StoreFinding finding, string place, CancellationToken cancellation)
    {
        var done = finding with { Action = FindingAction.Quarantined, Message = $"{finding.Message} It is in '{place}' now." };
        new DriverHistory(driver).Append(finding.Pipeline!, [HistoryLog.Describe(time, CheckpointEvents.Repaired, finding.Pipeline!, finding.Run, finding.Name, finding.Step, $"{finding.Kind}, moved to '{place}'")], cancellation);
        return done;
    }

    private static string NewName() => Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
}
