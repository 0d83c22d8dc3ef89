using System.Globalization;
using System.Text;

namespace Checkpoint.Tests;

/// <summary>A store in a folder, with what scenarios do to it.</summary>
internal sealed class StoreRig
{
    public static readonly StageId Stage = new("nightly", null, "ingest");

    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DocumentName Breaker = new("nightly", "breaker", "api");
    private static readonly RawKey OldKey = new([.. Enumerable.Repeat((byte)1, 32)]), NewKey = new([.. Enumerable.Repeat((byte)2, 32)]);
    private static readonly byte[] BadPayload = Damaged(StateBytes(TestState.Large(2)));
    private const string BadLine = "\"status\":\"dune\"";

    public StoreRig(string folder)
    {
        Root = Path.Join(folder, "store");
        OutputPath = Path.Join(folder, "report.csv");
        Store = new FolderStore(Root, Files);
    }

    public string Root { get; }

    public string OutputPath { get; }

    public TestFileSystem Files { get; } = new();

    public FolderStore Store { get; }

    /// <summary>What is recorded, while it is.</summary>
    public DiskRecorder? Disk { get; set; }

    /// <summary>How much of the work the caller was told to be done.</summary>
    public int Acknowledged { get; private set; }

    public string StageFolder => FolderLayout.StagePath(Root, Stage);

    public void Acknowledge()
    {
        Acknowledged++;
        Disk?.Acknowledge();
    }

    public async Task Save(TestState state, long? step = null, bool overwrite = false, StageId? stage = null, OutputFile? output = null) => await Store.SaveAsync(new CheckpointDraft
    {
        Stage = stage ?? Stage,
        State = state,
        Step = step,
        Overwrite = overwrite,
        SavedAt = Noon,
        OutputFiles = output is null ? [] : [output],
    }, default);

    public async Task SaveAndKeepOne(TestState state)
    {
        var (_, _, error) = await new CheckpointEngine(Store).SaveAsync(new CheckpointDraft { Stage = Stage, State = state, SavedAt = Noon }, new RetentionPolicy { Keep = 1 }, default);
        if (error is not null)
            throw error;
    }

    /// <summary>A program writes its output file and declares it.</summary>
    public async Task SaveOutput(byte[] content)
    {
        await File.WriteAllBytesAsync(OutputPath, content);
        Disk?.RecordForeign(OutputPath, content);
        File.SetLastWriteTimeUtc(OutputPath, Noon.UtcDateTime);
        await Save(TestState.Small("a"), output: OutputFiles.Describe(OutputPath, default, files: Files));
    }

    public async Task WriteRun(int attempts) => await Store.WriteRunAsync(RunFormatTests.Whole with { Pipeline = "nightly", Attempts = attempts }, default);

    public async Task WriteBreaker(int failures) => await Store.WriteDocumentAsync(Breaker,
        CircuitFormat.Serialize(new CircuitRecord { Pipeline = Breaker.Pipeline, Name = Breaker.Name, Failures = failures }), default);

    /// <summary>Appends one batch of done items; those in capitals have a large output.</summary>
    public Task AppendItems(params string[] keys) => AppendItems(Store, keys);

    /// <summary>The same, encrypted.</summary>
    public Task AppendSealedItems(params string[] keys) => AppendItems(With(OldKey).Store, keys);

    private static async Task AppendItems(CheckpointStore store, string[] keys)
    {
        using var log = await store.OpenItemsAsync(Stage, default);
        log.ReadAll(_ => { }, default);
        log.Append([.. keys.Select(key => new ItemEntry { Id = ItemId.Of(key), Key = key, At = Noon, Output = char.IsUpper(key[0]) ? log.WriteOutput(ItemId.Of(key), OutputOf(key), default) : null })], default);
    }

    /// <summary>Saves what another process of the session has captured for it, large enough to go past the cache.</summary>
    public async Task SaveCaptured(TestState state)
    {
        using var captured = CapturedState.Take(state, keepsSecrets: false, default);
        await Store.SaveAsync(new CheckpointDraft { Stage = Stage, State = captured, SavedAt = Noon }, default);
    }

    /// <summary>Step 1 is whole, the payload of step 2 is damaged.</summary>
    public async Task SaveAndDamage()
    {
        await Save(TestState.Small("a"));
        await Save(TestState.Large(2));
        await File.WriteAllBytesAsync(Directory.GetFiles(StageFolder, "*.state").Single(), BadPayload);
    }

    /// <summary>Item a is whole, the line of b is damaged.</summary>
    public async Task AppendAndDamage()
    {
        await AppendItems("a", "b");
        var path = Path.Join(StageFolder, FolderLayout.ItemsName);
        var lines = await File.ReadAllLinesAsync(path);
        lines[^1] = lines[^1].Replace("\"status\":\"done\"", BadLine, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, string.Join('\n', lines) + "\n");
    }

    /// <summary>What writers left that died.</summary>
    public async Task LeaveBehind()
    {
        foreach (var name in new[] { FolderLayout.NewTemporaryName(), FolderLayout.NewPayloadName(1), FolderLayout.NewPayloadName(2) })
        {
            var path = Path.Join(StageFolder, name);
            await File.WriteAllBytesAsync(path, TestState.Large(5, 3000).Blob);
            File.SetLastWriteTimeUtc(path, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        }
    }

    /// <summary>Repairs the store. What it looks for beforehand does not fail.</summary>
    public async Task Repair()
    {
        var store = new FolderStore(Root, Files, new HastyTime());
        foreach (var finding in await Find())
            await store.RepairAsync(finding, "20260301T120000Z-12345678", null, default);
    }

    public async Task SaveSealed(TestState state) => await With(OldKey).SaveAsync(new CheckpointDraft { Stage = Stage, State = state, SavedAt = Noon }, new RetentionPolicy(), default);

    public async Task UpdateKey() => await With(OldKey).ChangeTo(NewKey).ApplyAsync(Stage, 1, default);

    public async Task UpdateItemKeys() => await With(OldKey).ChangeTo(NewKey).ApplyToItemsAsync(Stage, default);

    public async Task AppendEvents(params string[] names) => await Store.AppendHistoryAsync(Stage.Pipeline,
        [.. names.Select(name => new CheckpointEvent { Time = Noon, Event = CheckpointEvents.Saved, Pipeline = Stage.Pipeline, Name = name, Reason = new string('r', 700) })], default);

    /// <summary>Every stage with its steps and the state of each, as it is found, decided on and restored.</summary>
    public async Task<string> LookAtStages()
    {
        var seen = new StringBuilder();
        var engine = new CheckpointEngine(new DelegatingStore(Store) { HasHistory = false });
        await foreach (var listing in Store.ListAsync(new StageQuery { Pipeline = NamePattern.Any }, default))
        {
            seen.Append(seen.Length == 0 ? "" : "; ").Append(listing.Stage.Name);
            foreach (var step in listing.Steps)
            {
                var reading = await Store.ReadAsync(listing.Stage, step, default);
                var state = reading.Info is null ? null : (await engine.RestoreAsync(listing.Stage, step, TestState.Read, null, default)).State!;
                seen.Append(CultureInfo.InvariantCulture, $" {step}={(state is null ? reading.Fault?.Message ?? "missing" : Label(state))}");
            }
            var decision = await engine.DecideAsync(listing.Stage, null, null, null, default);
            Assert.Equal(listing.Steps[0], decision.Checkpoint?.Step);
        }
        await foreach (var _ in Store.ReadHistoryAsync(NamePattern.Any, default))
        {
        }
        return seen.ToString();
    }

    /// <summary>What is decided of a stage with an output file.</summary>
    public async Task<string> LookAtOutput(byte[] content)
    {
        // A file system may keep a time and lose the content.
        if (File.Exists(OutputPath))
            File.SetLastWriteTimeUtc(OutputPath, Noon.UtcDateTime);
        var decision = await new CheckpointEngine(Store).DecideAsync(Stage, null, null, null, default);
        return decision.Cause != DecisionCause.Completed ? decision.Cause.ToString()
            : File.ReadAllBytes(OutputPath).AsSpan().SequenceEqual(content) ? "Completed" : "Completed, and its output is lost";
    }

    public async Task<string> LookAtRun()
    {
        await foreach (var reading in Store.ListRunsAsync(NamePattern.Any, NamePattern.Any, default))
            return reading.Run is { } run ? $"attempt {run.Attempts}" : reading.Fault?.Message ?? "";
        return "";
    }

    public async Task<string> LookAtBreaker() =>
        await Store.ReadDocumentAsync(Breaker, default) is { } bytes ? $"{CircuitFormat.Parse(bytes).Failures} failures" : "";

    /// <summary>The items that are done and whose outputs can be had.</summary>
    public Task<string> LookAtItems() => LookAtItems(Store);

    /// <summary>The key that opens the encrypted outputs of items, which are all there.</summary>
    public async Task<string> LookAtSealedItems()
    {
        foreach (var (key, name) in Keys)
        {
            try
            {
                return $"{await LookAtItems(With(key).Store)} {name}";
            }
            catch (CheckpointException e) when (e.Kind == CheckpointErrorKind.KeyWrong && key == OldKey)
            {
            }
        }
        throw new InvalidOperationException();
    }

    /// <summary>The key that opens the encrypted checkpoint.</summary>
    public async Task<string> LookAtSealed()
    {
        foreach (var (key, name) in Keys)
        {
            try
            {
                return $"{Label((await With(key).RestoreAsync(Stage, null, TestState.Read, null, default)).State!)} {name}";
            }
            catch (CheckpointException e) when (e.Kind == CheckpointErrorKind.KeyWrong && key == OldKey)
            {
            }
        }
        throw new InvalidOperationException();
    }

    /// <summary>The steps, what is restored, and whether all of what is damaged is still somewhere.</summary>
    public async Task<string> LookAtDamage()
    {
        var steps = (await Store.FindAsync(Stage, default))!.Steps;
        var latest = await With(null).RestoreAsync(Stage, null, TestState.Read, null, default);
        var files = Directory.GetFiles(Root, "*", SearchOption.AllDirectories).Select(File.ReadAllBytes).ToList();
        var isKept = files.Exists(f => f.AsSpan().SequenceEqual(BadPayload)) && files.Exists(f => f.AsSpan().IndexOf("\"step\": 2,"u8) >= 0 && SealedJson.Verify(f) > 0);
        return $"{string.Join(' ', steps)}, {Label(latest.State!)}, {(isKept ? "kept" : "lost")}";
    }

    /// <summary>The items, whether the damaged line is still somewhere, and whether it is in the journal.</summary>
    public async Task<string> LookAtDamagedItems()
    {
        var journal = Path.Join(StageFolder, FolderLayout.ItemsName);
        var files = Directory.GetFiles(Root, "*.jsonl*", SearchOption.AllDirectories).Where(f => File.ReadAllText(f).Contains(BadLine, StringComparison.Ordinal)).ToList();
        return $"{await LookAtItems()}, {(files.Count == 0 ? "lost" : files.Contains(journal) ? "there" : "kept")}";
    }

    /// <summary>Whether the history can be read, and nobody is said to have changed it.</summary>
    public async Task<string> LookAtHistory()
    {
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Any, default))
            Assert.Equal(700, entry.Reason?.Length);
        return string.Join("; ", (await Find()).Where(f => f.Severity == FindingSeverity.Error).Select(f => f.Message));
    }

    private async Task<string> LookAtItems(CheckpointStore store)
    {
        if (!Directory.Exists(StageFolder))
            return "";
        using var log = await store.OpenItemsAsync(Stage, default);
        var marks = new Dictionary<ItemId, ItemMark>();
        log.ReadAll(mark => marks[mark.Id] = mark, default);
        var seen = new List<string>();
        foreach (var key in new[] { "a", "b", "C", "d", "E", "later" })
        {
            if (!marks.TryGetValue(ItemId.Of(key), out var mark))
                continue;
            seen.Add(key);
            if (mark.Place < 0)
                continue;
            using var reader = log.OpenOutput(mark.Id, log.ReadOutput(mark.Place, default), default);
            var output = TestState.Read(reader);
            reader.Complete();
            TestState.AssertEqual(OutputOf(key), output);
        }
        return string.Join(' ', seen);
    }

    public async Task SaveAndClear()
    {
        var latest = (await Store.FindAsync(Stage, default))?.Steps[0] ?? 0;
        await Save(TestState.Small("later"));
        Assert.StartsWith($"ingest {latest + 1}=later", await LookAtStages(), StringComparison.Ordinal);
        await Store.RemoveAsync(Stage, null, default);
        Assert.DoesNotContain("ingest", await LookAtStages(), StringComparison.Ordinal);
        var left = global::Checkpoint.StageFolder.List(Files, StageFolder);
        Assert.Empty(left.Temporaries);
        Assert.Empty(left.Payloads);
    }

    /// <summary>Repairs what is left to repair, after which nothing is damaged.</summary>
    public async Task RepairAndGoOn(Func<Task> goOn)
    {
        await Repair();
        Assert.DoesNotContain(await Find(), f => f.Severity == FindingSeverity.Error || f.Kind == StoreFindingKind.Leftover);
        await goOn();
    }

    /// <summary>Changes the keys that are left, which the old one does not open any more.</summary>
    public async Task UpdateAndClear(Func<Task> update, Func<Task<string>> look)
    {
        await update();
        Assert.EndsWith(" new", await look(), StringComparison.Ordinal);
        await Store.RemoveAsync(Stage, null, default);
        Assert.Equal("", await LookAtStages());
    }

    public async Task AppendEventAndRead()
    {
        await AppendEvents("later");
        var names = new List<string?>();
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Any, default))
            names.Add(entry.Name);
        Assert.Equal("later", names[^1]);
        Assert.Equal("", await LookAtHistory());
    }

    public async Task AppendLater()
    {
        var before = await LookAtItems();
        await AppendItems("later");
        Assert.Equal((before + " later").TrimStart(), await LookAtItems());
    }

    private static (RawKey Key, string Name)[] Keys => [(OldKey, "old"), (NewKey, "new")];

    private CheckpointEngine With(CheckpointKey? key) => new(new DelegatingStore(Store) { HasHistory = false }, key: key);

    // By a file system of its own, which does not fail.
    private async Task<List<StoreFinding>> Find()
    {
        var found = new List<StoreFinding>();
        await foreach (var finding in new FolderStore(Root, time: new HastyTime()).VerifyAsync(new StoreScope(), null, default))
            found.Add(finding);
        return found;
    }

    private static byte[] StateBytes(TestState state) => [.. Encoding.UTF8.GetBytes(state.Document), .. state.Blob];

    private static byte[] Damaged(byte[] bytes)
    {
        bytes[bytes.Length / 2] ^= 1;
        return bytes;
    }

    private static TestState OutputOf(string key) => new($"{{\"seed\":{(int)key[0]}}}", TestState.Large(key[0]).Blob, isSequence: true);

    /// <summary>A state inside the record, of many sectors.</summary>
    public static TestState Wide(int number) => TestState.Small($"W{number}{string.Concat(Enumerable.Range(0, 3000).Select(i => $",{i}"))}");

    // Small("a") is a; Wide(2) is W2; Large(3) is L3.
    private static string Label(TestState state)
    {
        if (state.Blob.Length == 0)
        {
            var text = state.Document.Trim('"');
            return text[0] != 'W' ? text : state.Document == Wide(text[1] - '0').Document ? text[..2] : "another state";
        }
        var seed = int.Parse(state.Document.AsSpan(8..^1), CultureInfo.InvariantCulture);
        return TestState.Large(seed, state.Blob.Length).Blob.AsSpan().SequenceEqual(state.Blob) ? $"L{seed}" : "another state";
    }
}
