using System.Security.Cryptography;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>
/// Every file of a store is damaged in every way: that is found or does no harm, it is never a wrong state nor an error of another kind, the verification of the store finds it, and
/// the memory that it takes has a bound.
/// </summary>
[Trait("Category", "Campaign")]
public sealed class CorruptionCampaign(ITestOutputHelper output) : StoreTest
{
    private const long Bound = 64 << 20;

    private static readonly TestState Old = TestState.Small("old"), New = new("{\"$byte[]\":{\"blob\":[0,700]}}", TestState.Large(2, 700).Blob);

    private readonly List<CheckpointEvent> _events = [];
    private readonly Dictionary<ItemId, TestState?> _items = [];
    private Campaign _campaign = null!;
    private CheckpointKey? _key;
    private long _most;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_byte_of_every_file_is_changed_cut_doubled_and_zeroed(bool isEncrypted)
    {
        _campaign = new Campaign(isEncrypted ? "Corruption of what is encrypted" : "Corruption", output);
        _key = isEncrypted ? new RawKey(RandomNumberGenerator.GetBytes(32)) : null;
        await ArrangeAsync();
        Assert.Empty(await VerifyAsync());
        var counts = new List<string>();
        // The others are the same with a key.
        foreach (var (name, path, look) in Files().Where(f => !isEncrypted || Path.GetDirectoryName(f.Path) == StageFolder))
        {
            var whole = await File.ReadAllBytesAsync(path);
            Assert.Null(await look());
            // Of lines that are missing at the end of a journal nothing tells; and what stands twice, or behind all that counts, does no harm.
            var isOpen = Path.GetFileName(path) is FolderLayout.ItemsName or FolderLayout.ItemOutputsName or FolderLayout.HistoryHeadName;
            var before = _campaign.Tries;
            foreach (var (how, bytes) in Corruption.Of(whole, _campaign.Random))
            {
                if (bytes.AsSpan().SequenceEqual(whole))
                    continue;
                await File.WriteAllBytesAsync(path, bytes);
                var mayPass = isOpen && bytes.Length != whole.Length;
                await TryAsync($"{name}, {how}", async () => await look() ?? (await VerifyAsync() == "" && !mayPass ? "the verification finds nothing" : null), Bound);
            }
            await File.WriteAllBytesAsync(path, whole);
            counts.Add($"{_campaign.Tries - before} of {name}");
        }
        _campaign.End($"{string.Join(", ", counts)}; at most {_most >> 10} KiB were allocated");
    }

    [Fact]
    public async Task What_is_sealed_rightly_and_hostile_is_damage_or_a_checkpoint_and_memory_has_a_bound()
    {
        _campaign = new Campaign("Hostile files", output);
        await ArrangeAsync();
        var record = await File.ReadAllBytesAsync(RecordPath(2));
        // What the records claim to be 5 bytes long, or 2^60, is there.
        await File.WriteAllTextAsync(Path.Join(StageFolder, HostileRecords.PayloadName), "test!");
        foreach (var (how, body) in HostileRecords.Bodies)
        {
            await File.WriteAllBytesAsync(RecordPath(2), GoldenRecord.Sign(body()));
            await TryAsync(how, async () => await LookAtAny() ?? await LookByVerifying(), HostileRecords.Bound);
        }
        await File.WriteAllBytesAsync(RecordPath(2), record);
        File.Delete(Path.Join(StageFolder, HostileRecords.PayloadName));
        foreach (var (name, path, look) in Files())
        {
            // Two gigabytes of zeros, most of which no disk holds.
            var whole = await File.ReadAllBytesAsync(path);
            using (var file = new FileStream(path, FileMode.Open))
                file.SetLength(2L << 30);
            await TryAsync($"{name}, 2 GiB long", async () => await look() ?? await LookByVerifying(), Bound);
            await File.WriteAllBytesAsync(path, whole);
        }
        _campaign.End($"at most {_most >> 20} MiB were allocated");
    }

    private async Task ArrangeAsync()
    {
        foreach (var state in new[] { Old, New })
            await Engine().SaveAsync(Draft(state), new RetentionPolicy(), default);
        await Store.WriteRunAsync(RunFormatTests.Whole, default);
        await Store.WriteDocumentAsync(new("nightly", "breaker", "api"), CircuitFormat.Serialize(new CircuitRecord { Pipeline = "nightly", Name = "api", Failures = 7 }), default);
        for (var i = 0; i < 3; i++)
            await Store.AppendHistoryAsync("nightly", [new CheckpointEvent { Time = Noon, Event = CheckpointEvents.Saved, Pipeline = "nightly", Name = "ingest", Step = i }], default);
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Any, default))
            _events.Add(entry);
        using var log = await Engine().Store.OpenItemsAsync(Stage, default);
        log.ReadAll(_ => { }, default);
        foreach (var (key, text) in new[] { ("a", null), ("b", TestState.Small("b").Document), ("c", TestState.Large(3).Document) })
        {
            var state = text is null ? null : new TestState(text, key == "c" ? TestState.Large(3, 600).Blob : null, isSequence: true);
            _items[ItemId.Of(key)] = state;
            log.Append([new ItemEntry { Id = ItemId.Of(key), Key = key, At = Noon, Output = state is null ? null : log.WriteOutput(ItemId.Of(key), state, default) }], default);
        }
    }

    // Each file with what looks at it, and says what is wrong.
    private IEnumerable<(string Name, string Path, Func<Task<string?>> Look)> Files()
    {
        var folder = Path.Join(Root, "nightly");
        yield return ("a record", RecordPath(2), LookAtState);
        yield return ("a payload", Path.Join(StageFolder, Names(FolderEntryKind.Payload).Single()), LookAtState);
        yield return ("a run", Path.Join(folder, "runs", RunFormatTests.Whole.Run, FolderLayout.RunRecordName), LookAtRun);
        yield return ("a circuit breaker", Path.Join(folder, "breakers", "api.json"), LookAtBreaker);
        yield return ("a history", Path.Join(folder, FolderLayout.HistoryName), LookAtHistory);
        yield return ("the head of a history", Path.Join(folder, FolderLayout.HistoryHeadName), LookAtHistory);
        yield return ("a journal of items", Path.Join(StageFolder, FolderLayout.ItemsName), LookAtItems);
        yield return ("outputs of items", Path.Join(StageFolder, FolderLayout.ItemOutputsName), LookAtItems);
    }

    private async Task TryAsync(string how, Func<Task<string?>> look, long bound)
    {
        _campaign.Tries++;
        var before = GC.GetAllocatedBytesForCurrentThread();
        string? wrong;
        try
        {
            wrong = await look();
        }
        catch (Exception e)
        {
            wrong = e.ToString();
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        _most = Math.Max(_most, allocated);
        if (allocated > bound)
            wrong ??= $"{allocated >> 20} MiB were allocated";
        if (wrong is not null)
            _campaign.Findings.Add($"{how}: {wrong}");
    }

    // As another process sees the store. Restoring writes nothing.
    private CheckpointEngine Engine() => new(new DelegatingStore(new FolderStore(Root)) { HasHistory = false }, key: _key);

    // What the verification of the whole store tells of it.
    private async Task<string> VerifyAsync()
    {
        var found = new List<StoreFindingKind>();
        await foreach (var finding in new FolderStore(Root, time: new HastyTime()).VerifyAsync(new StoreScope(), null, default))
            found.Add(finding.Kind);
        return string.Join(' ', found);
    }

    private async Task<string?> LookByVerifying()
    {
        await VerifyAsync();
        return null;
    }

    // The state that was saved; or damage, and the older one.
    private async Task<string?> LookAtState()
    {
        var engine = Engine();
        var latest = await engine.RestoreAsync(Stage, null, TestState.Read, null, default);
        var isWhole = latest.Checkpoint.Step == 2;
        if (!IsEqual(isWhole ? New : Old, latest.State))
            return $"step {latest.Checkpoint.Step} is '{latest.State?.Document}'";
        if (isWhole == latest.Damage.Count > 0)
            return "damage was passed over, or told of what is whole";
        var error = await Record.ExceptionAsync(async () => await engine.RestoreAsync(Stage, 2, TestState.Read, null, default));
        return isWhole == error is null && error is null or CheckpointException { Kind: CheckpointErrorKind.CheckpointDamaged } ? null : $"step 2: {error}";
    }

    // Whatever it is: a checkpoint, damage or too new.
    private async Task<string?> LookAtAny()
    {
        var store = new FolderStore(Root);
        var engine = new CheckpointEngine(new DelegatingStore(store) { HasHistory = false });
        foreach (var step in new long?[] { null, 2 })
        {
            var error = await Record.ExceptionAsync(async () => await engine.RestoreAsync(Stage, step, TestState.Read, null, default));
            if (error is not null and not CheckpointException { Kind: CheckpointErrorKind.CheckpointDamaged or CheckpointErrorKind.FormatTooNew })
                return error.ToString();
        }
        await engine.DecideAsync(Stage, null, null, null, default);
        await List(store, new StageQuery { Pipeline = NamePattern.Any });
        return null;
    }

    private async Task<string?> LookAtRun()
    {
        await foreach (var reading in new FolderStore(Root).ListRunsAsync(NamePattern.Any, NamePattern.Any, default))
        {
            if (reading.Run is { } run ? run.Attempts != 3 || run.LastError != RunFormatTests.Whole.LastError : reading.Fault!.Kind != CheckpointErrorKind.CheckpointDamaged)
                return reading.Fault?.ToString() ?? "another run";
        }
        return null;
    }

    private async Task<string?> LookAtBreaker()
    {
        try
        {
            var bytes = await new FolderStore(Root).ReadDocumentAsync(new("nightly", "breaker", "api"), default);
            return CircuitFormat.Parse(bytes).Failures == 7 ? null : "another content";
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    // What its lines say is for people; that they are what was written is told by verifying.
    private async Task<string?> LookAtHistory()
    {
        var count = 0;
        await foreach (var _ in new FolderStore(Root).ReadHistoryAsync(NamePattern.Any, default))
            count++;
        return count <= 2 * _events.Count ? null : $"{count} events";
    }

    private async Task<string?> LookAtItems()
    {
        using var log = await Engine().Store.OpenItemsAsync(Stage, default);
        var marks = new Dictionary<ItemId, ItemMark>();
        log.ReadAll(mark => marks[mark.Id] = mark, default);
        foreach (var mark in marks.Values)
        {
            if (!_items.TryGetValue(mark.Id, out var expected) || mark.Place >= 0 != expected is not null)
                return $"an item {mark.Id} that never was";
            try
            {
                if (expected is null)
                    continue;
                using var reader = log.OpenOutput(mark.Id, log.ReadOutput(mark.Place, default), default);
                var found = TestState.Read(reader);
                reader.Complete();
                if (!IsEqual(expected, found))
                    return $"another output of {mark.Id}";
            }
            catch (InvalidDataException)
            {
                // It is run again.
            }
        }
        return null;
    }

    private static bool IsEqual(TestState expected, TestState? found) =>
        found is not null && expected.Document == found.Document && expected.IsSequence == found.IsSequence && expected.Blob.AsSpan().SequenceEqual(found.Blob);
}
