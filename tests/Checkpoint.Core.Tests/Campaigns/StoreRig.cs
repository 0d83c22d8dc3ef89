using System.Globalization;
using System.Text;

namespace Checkpoint.Tests;

/// <summary>A store in a folder, with what scenarios do to it.</summary>
internal sealed class StoreRig
{
    public static readonly StageId Stage = new("nightly", null, "ingest");

    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DocumentName Breaker = new("nightly", "breaker", "api");

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
    public async Task AppendItems(params string[] keys)
    {
        using var log = await Store.OpenItemsAsync(Stage, default);
        log.ReadAll(_ => { }, default);
        log.Append([.. keys.Select(key => new ItemEntry { Id = ItemId.Of(key), Key = key, At = Noon, Output = char.IsUpper(key[0]) ? log.WriteOutput(ItemId.Of(key), OutputOf(key), default) : null })]);
    }

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
    public async Task<string> LookAtItems()
    {
        if (!Directory.Exists(StageFolder))
            return "";
        using var log = await Store.OpenItemsAsync(Stage, default);
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
            using var reader = log.OpenOutput(mark.Id, log.ReadOutput(mark.Place));
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

    public async Task AppendLater()
    {
        var before = await LookAtItems();
        await AppendItems("later");
        Assert.Equal((before + " later").TrimStart(), await LookAtItems());
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
