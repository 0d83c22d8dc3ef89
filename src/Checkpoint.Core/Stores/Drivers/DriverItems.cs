using System.Buffers;
using System.Globalization;
using System.Text;

namespace Checkpoint;

/// <summary>
/// The journal of a stage's items in a driver's store: each entry holds the lines of one append, in the format of a folder's file, and outputs that are too large for a line are entries of another kind.
/// </summary>
internal sealed class DriverItems : ItemLog
{
    // An entry is read whole; what is longer is parted.
    private const int MaxRecord = 8 << 20;

    // The low bits of a place are the offset in an entry, which is no longer than 16 MiB; the entry's step stands above them.
    private const int OffsetBits = 24;

    private readonly StoreDriver _driver;
    private readonly DriverFaults _faults;
    private readonly DriverRecords _records;
    private readonly StageId _stage;
    private readonly StoreKey _key;
    private readonly StoreKey _outputs;
    private readonly Lease? _worker;
    private readonly StoreFence? _fence;

    // The last step that is known to be there; of several writers, the last that this one has read.
    private long _last;
    private bool _hasHead;

    public DriverItems(StoreDriver driver, DriverFaults faults, DriverRecords records, StageId stage, Lease? lease, CancellationToken cancellation)
    {
        (_driver, _faults, _records, _stage, _fence) = (driver, faults, records, stage, lease?.Fence.OfDriver);
        _worker = lease?.Name.Worker is null ? null : lease;
        (_key, _outputs) = (DriverKeys.Of(stage, DriverKeys.Items), DriverKeys.Of(stage, DriverKeys.ItemOutput));
        var newest = Guarded(() => Read(_key, null, cancellation)?.Step ?? 0);
        Estimate = (int)Math.Min(newest * 64, 1 << 20);
        _hasHead = newest > 0;
        _last = _worker is null ? newest : 0;
    }

    public override int Estimate { get; }

    /// <summary>The lines of a record, without their line feeds.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> LinesOf(ReadOnlyMemory<byte> record)
    {
        while (record.Length > 0)
        {
            var end = record.Span.IndexOf((byte)'\n');
            yield return end < 0 ? record : record[..end];
            record = end < 0 ? default : record[(end + 1)..];
        }
    }

    /// <summary>The lines of a journal's record: more where the line feed between two was damaged, which costs only the first.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> PiecesOf(ReadOnlyMemory<byte> record) => LinesOf(record).SelectMany(ItemFormat.Pieces).Where(piece => !piece.IsEmpty);

    public override int ReadAll(Action<ItemMark> visit, Action<WorkerLine> visitWorker, CancellationToken cancellation) => Guarded(() =>
    {
        var damaged = 0;
        foreach (var (entry, line, offset) in Lines(_worker is null ? 0 : _last, cancellation))
        {
            if (!ItemFormat.IsWhole(line.Span))
                damaged++;
            else if (ItemFormat.TryReadWorker(line.Span) is { } worker)
                visitWorker(worker);
            else if (ItemFormat.TryParse(line.Span, out var id, out var isDone, out var hasOutput))
                visit(MarkOf(id, isDone, hasOutput, (entry.Step << OffsetBits) | (long)offset));
            else if (ItemFormat.VersionOf(line.Span) is > ItemFormat.Version and var version)
                throw new RecordTooNewException(version);
        }
        return damaged;
    });

    private static ItemMark MarkOf(ItemId id, bool isDone, bool hasOutput, long at) => new(id, isDone, hasOutput ? at : -1, at);

    public override ItemOutput WriteOutput(ItemId id, IStateSource output, CancellationToken cancellation) => Guarded(() =>
    {
        StoreSave? save = null;
        try
        {
            var name = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
            StoredState state;
            using (var writer = new StateWriter(() => (save = DriverCall.Wait(() => _driver.BeginSaveAsync(_outputs, cancellation))).OpenPayload(name)))
            {
                output.WriteTo(writer, cancellation);
                state = writer.Complete(output.IsSequence, cancellation);
            }
            if (save is null)
                return new ItemOutput(state, 0);
            // Durable by itself: its line comes later, and may be committed by a server that was started anew in between.
            var commit = new StoreCommit { MakeRecord = (_, _) => (Encoding.ASCII.GetBytes(name), name) };
            return new ItemOutput(state, DriverCall.Wait(() => save.CommitAsync(commit, cancellation))!.Value);
        }
        finally
        {
            if (save is not null)
                DriverCall.Wait(save.DisposeAsync);
        }
    });

    public override void Append(IReadOnlyList<ItemEntry> entries, CancellationToken cancellation) => Guarded(() =>
    {
        var lines = Begin();
        foreach (var entry in entries)
        {
            ItemFormat.Write(lines, entry);
            if (lines.WrittenCount >= MaxRecord)
                Commit(lines, cancellation);
        }
        if (lines.WrittenCount > 0)
            Commit(lines, cancellation);
        return true;
    });

    public override void Append(WorkerLine line, CancellationToken cancellation) => Guarded(() =>
    {
        var lines = Begin();
        ItemFormat.Write(lines, line);
        Commit(lines, cancellation);
        return true;
    });

    public override void WaitForChange(TimeSpan atMost, CancellationToken cancellation) => Guarded(() =>
    {
        DriverCall.Wait(() => _driver.WaitForChangeAsync(_key, atMost, cancellation));
        return true;
    });

    public override ItemOutput ReadOutput(long place, CancellationToken cancellation) => Guarded(() => ItemFormat.ReadOutput(LineAt(place, cancellation)));

    public override ItemEntry ReadFailure(long at, CancellationToken cancellation) => Guarded(() => ItemFormat.ReadFailure(LineAt(at, cancellation)));

    public override StateReader OpenOutput(ItemId id, ItemOutput output, CancellationToken cancellation) =>
        new(output.State, output.State.Payload is null ? null : Open(output, cancellation) ?? throw new InvalidDataException("the output is missing"));

    public override int Rewrite(Func<ItemEntry, ItemEntry?> change, CancellationToken cancellation) => Guarded(() =>
    {
        var latest = new Dictionary<ItemId, (long Step, int Offset)>();
        foreach (var (entry, line, offset) in Lines(0, cancellation))
        {
            if (IdOf(line) is { } id)
                latest[id] = (entry.Step, offset);
        }
        var count = 0;
        // Entry by entry: cut off in between, some are changed and some not, and the same call goes on.
        foreach (var group in Lines(0, cancellation).GroupBy(l => l.Entry.Step).ToList())
        {
            var lines = new ArrayBufferWriter<byte>(1 << 16);
            var changes = 0;
            foreach (var (_, line, offset) in group)
            {
                var id = IdOf(line);
                // What a later entry made void is left out.
                if (id is { } item && latest[item] != (group.Key, offset))
                    continue;
                if (id is not null && ItemFormat.TryReadEntry(line) is { } entry && change(entry) is { } changed)
                {
                    ItemFormat.Write(lines, changed);
                    changes++;
                    continue;
                }
                lines.Write(line.Span);
                lines.Write("\n"u8);
            }
            if (changes > 0 && !DriverCall.Wait(() => _driver.ReplaceRecordAsync(group.First().Entry, lines.WrittenMemory, NewRevision(), cancellation)))
                throw new StoreFaultException(StoreFault.Unavailable, "another process has written to it");
            count += changes;
        }
        return count;
    });

    /// <summary>What judges the lines.</summary>
    public ItemsCheck Check(CheckpointKey? key, CancellationToken cancellation) => new(_stage, key, stage => DriverKeys.Of(stage, DriverKeys.Items) == _key, output => Open(output, cancellation), mayBeTorn: false);

    public override void Dispose()
    {
    }

    private static ItemId? IdOf(ReadOnlyMemory<byte> line) => ItemFormat.IsWhole(line.Span) && ItemFormat.TryParse(line.Span, out var id, out _, out _) ? id : null;

    private static string NewRevision() => Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);

    private ArrayBufferWriter<byte> Begin()
    {
        var lines = new ArrayBufferWriter<byte>(1 << 12);
        // Of several writers each may write one; all say the same.
        if (!_hasHead)
            ItemFormat.WriteHead(lines, _stage);
        return lines;
    }

    private void Commit(ArrayBufferWriter<byte> lines, CancellationToken cancellation)
    {
        var step = DriverCall.Wait(async () =>
        {
            await using var save = await _driver.BeginSaveAsync(_key, cancellation);
            // What others were told is done must not be written over; where several write, the next step is whose turn it is.
            return await save.CommitAsync(new StoreCommit { Step = _worker is null ? _last + 1 : null, Fence = _fence, MakeRecord = (_, _) => (lines.WrittenMemory, NewRevision()) }, cancellation);
        });
        if (step is null)
            throw new StoreFaultException(StoreFault.Unavailable, "another process has written to it");
        if (_worker is null)
            _last = step.Value;
        _hasHead = true;
        lines.ResetWrittenCount();
    }

    private IEnumerable<(StoreEntry Entry, ReadOnlyMemory<byte> Line, int Offset)> Lines(long above, CancellationToken cancellation)
    {
        foreach (var entry in DriverCall.Items(() => _driver.ReadAboveAsync(_key, above, cancellation)))
        {
            _last = Math.Max(_last, entry.Step);
            var offset = 0;
            foreach (var line in LinesOf(entry.Record))
            {
                foreach (var piece in ItemFormat.Pieces(line))
                {
                    if (!piece.IsEmpty)
                        yield return (entry, piece, offset);
                    offset += piece.Length;
                }
                offset++;
            }
        }
    }

    private ReadOnlyMemory<byte> LineAt(long place, CancellationToken cancellation)
    {
        var entry = Read(_key, place >> OffsetBits, cancellation) ?? throw new InvalidDataException("the line of the journal is gone");
        var offset = (int)(place & ((1 << OffsetBits) - 1));
        var line = offset < entry.Record.Length ? PiecesOf(entry.Record[offset..]).First() : default;
        return ItemFormat.IsWhole(line.Span) ? line : throw new InvalidDataException("the line of the journal was changed");
    }

    private DriverPayload? Open(ItemOutput output, CancellationToken cancellation) => Guarded(() => Read(_outputs, output.Offset, cancellation) is { } entry
        && DriverCall.Wait(() => _driver.OpenPayloadAsync(_outputs, output.Offset, Encoding.ASCII.GetString(entry.Record.Span), cancellation)) is { } payload ? new DriverPayload(payload, _faults, _stage) : null);

    private StoreEntry? Read(StoreKey key, long? step, CancellationToken cancellation) => DriverCall.Wait(() => _driver.ReadAsync(key, step, cancellation));

    private T Guarded<T>(Func<T> work)
    {
        try
        {
            return _faults.Guard($"Keeping the journal of the items of {_stage}", _stage.Name, work);
        }
        catch (RecordTooNewException e)
        {
            throw CheckpointErrors.ItemsTooNew(_stage, _records.Place(_key, null), e.Version, ItemFormat.Version);
        }
    }
}
