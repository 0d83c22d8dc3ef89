using System.Security.Cryptography;
using System.Text;

namespace Checkpoint.Tests;

/// <summary>What tests of verification and repair share: a store with something of every kind in it.</summary>
public abstract class IntegrityTest : StoreTest
{
    private protected static readonly StageId InRun = new("nightly", "r1", "größe/1");

    private protected string PipelineFolder => Path.Join(Root, "nightly");

    private protected string HistoryPath => Path.Join(PipelineFolder, FolderLayout.HistoryName);

    private protected string HeadPath => Path.Join(PipelineFolder, FolderLayout.HistoryHeadName);

    private protected string RunFolder => FolderLayout.RunPath(Root, "nightly", "r1");

    private protected string JournalPath => Path.Join(StageFolder, FolderLayout.ItemsName);

    private protected string OutputsPath => Path.Join(StageFolder, FolderLayout.ItemOutputsName);

    private protected string BreakerPath => Path.Join(PipelineFolder, "breakers", "api.json");

    private protected string PayloadPath => Path.Join(StageFolder, Names(FolderEntryKind.Payload)[0]);

    /// <summary>A state in a payload, of whole bytes.</summary>
    private protected static TestState Bytes(int seed, int length = 40_000) => new($"{{\"$byte[]\":{{\"blob\":[0,{length}]}}}}", TestState.Large(seed, length).Blob);

    /// <summary>Step 1 in its record, step 2 in a payload, a stage of a run, items with outputs, a run, a breaker, a lease and six lines of history.</summary>
    private protected async Task Fill()
    {
        var engine = new CheckpointEngine(Store);
        await engine.SaveAsync(Draft(TestState.Small("one"), 1), new RetentionPolicy(), default);
        await engine.SaveAsync(Draft(Bytes(2), 2), new RetentionPolicy(), default);
        await engine.SaveAsync(Draft(TestState.Small("in a run"), 1, stage: InRun), new RetentionPolicy(), default);
        using (var items = await Store.OpenItemsAsync(Stage, default))
            items.Append([Item("a", null), Item("b", items.WriteOutput(ItemId.Of("b"), new TestState("[{\"$byte[]\":{\"blob\":[0,20000]}}]", new byte[20_000], true), default)), Item("c", null)], default);
        await Store.WriteRunAsync(new CheckpointRun { Pipeline = "nightly", Run = "r1", StartedAt = Noon, Attempts = 1, Status = RunStatus.Completed, Host = "h", User = "u", Stages = new([]) }, default);
        await Store.WriteDocumentAsync(new DocumentName("nightly", "breaker", "api"), CircuitFormat.Serialize(new CircuitRecord { Pipeline = "nightly", Name = "api" }), default);
        (await Store.TryLeaseAsync(new LeaseName(Stage), LeaseHolder.Self(TimeProvider.System), default)).Lease!.Dispose();
        for (var i = 1; i <= 3; i++)
            await engine.History.RecordAsync(CheckpointEvents.StageStarted, Stage, i, null, default);
    }

    private protected static void Flip(string path, long at = -1)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[at < 0 ? bytes.Length / 2 : at] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    /// <summary>Changes the text of a sealed file, and its checksum with it.</summary>
    private protected static void Reseal(string path, Func<string, string> change)
    {
        var text = Encoding.UTF8.GetString(File.ReadAllBytes(path));
        var body = change(text[..^85]);
        File.WriteAllText(path, $"{body},\n  \"checksum\": \"{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(body))).ToLowerInvariant()}\"\n}}\n");
    }

    /// <summary>Gives everything in the store to its owner alone, as it would be had Checkpoint written it.</summary>
    private protected void Own()
    {
        if (OperatingSystem.IsWindows())
            return;
        foreach (var entry in new DirectoryInfo(Root).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).Where(e => e.LinkTarget is null))
            entry.UnixFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | (entry is DirectoryInfo ? UnixFileMode.UserExecute : 0);
    }

    private protected async Task<List<StoreFinding>> Find(StoreScope? scope = null)
    {
        var found = new List<StoreFinding>();
        await foreach (var finding in Store.VerifyAsync(scope ?? new StoreScope(), null, default))
            found.Add(finding);
        return found;
    }

    /// <summary>What is found, each as its severity, kind and place in the store.</summary>
    private protected async Task<IEnumerable<string>> Verify(StoreScope? scope = null) =>
        (await Find(scope)).Select(f => $"{f.Severity} {f.Kind} {Path.GetRelativePath(Root, f.Location).Replace('\\', '/')}");

    private static ItemEntry Item(string key, ItemOutput? output) => new() { Id = ItemId.Of(key), Key = key, At = Noon, Output = output };
}
