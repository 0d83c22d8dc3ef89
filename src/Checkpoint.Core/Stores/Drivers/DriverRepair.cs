using System.Buffers;
using System.Globalization;

namespace Checkpoint;

/// <summary>Sees to findings in a driver's store, if they are still so. What is damaged is kept, as an entry of the kind <c>quarantine</c>, which nothing here reads or removes.</summary>
internal sealed class DriverRepair(StoreDriver driver, DriverFaults faults, DriverRecords records, TimeProvider time, string quarantine, CheckpointKey? key)
{
    private readonly DriverVerifier _verifier = new(driver, faults, records, key);

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
            DriverKeys.Items => TakeLines(finding, cancellation),
            _ => null,
        };
    }

    // First it is safe in the quarantine, then it is removed, unless it was replaced meanwhile.
    private StoreFinding? Take(StoreFinding? finding, CancellationToken cancellation)
    {
        if (finding is not { Entry: { } entry, Remedy: FindingAction.Quarantined })
            return null;
        var place = Keep(entry, cancellation);
        return DriverCall.Wait(() => driver.RemoveAsync(entry.Key, [new StoreStep(entry.Step, entry.Revision)], cancellation)) == 0 ? null : Tell(finding, place, cancellation);
    }

    private StoreFinding? TakeLines(StoreFinding finding, CancellationToken cancellation)
    {
        var stage = new StageId(finding.Pipeline!, finding.Run, finding.Name!);
        var (lease, holder) = new DriverLeases(driver, faults, time).TryTake(new LeaseName(stage), LeaseHolder.Self(time), null, cancellation);
        using (lease ?? throw CheckpointErrors.RepairBusy(finding.Location, driver.Location, holder))
        using (var log = new DriverItems(driver, faults, records, stage))
        {
            var entry = DriverCall.Wait(() => driver.ReadAsync(finding.Entry!.Key, finding.Entry.Step, cancellation));
            if (entry is null || DriverItems.LinesOf(entry.Record).All(log.IsIntact))
                return null;
            var place = Keep(entry, cancellation);
            var good = new ArrayBufferWriter<byte>(entry.Record.Length + 1);
            foreach (var line in DriverItems.LinesOf(entry.Record).Where(log.IsIntact))
            {
                good.Write(line.Span);
                good.Write("\n"u8);
            }
            return DriverCall.Wait(() => driver.ReplaceRecordAsync(entry, good.WrittenMemory, NewName(), cancellation)) ? Tell(finding, place, cancellation) : null;
        }
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

    // Where the record is damaged nobody knows the name of its payload any more; its state is lost with it.
    private void CopyPayload(StoreEntry entry, StoreSave save, CancellationToken cancellation)
    {
        if (entry.PayloadLength is null || records.TryParse(entry)?.State?.Payload is not { } name
            || DriverCall.Wait(() => driver.OpenPayloadAsync(entry.Key, entry.Step, name, cancellation)) is not { } from)
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
