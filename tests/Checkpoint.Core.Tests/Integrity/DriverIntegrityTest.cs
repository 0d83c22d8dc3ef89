using System.Security.Cryptography;
using System.Text;

namespace Checkpoint.Tests;

/// <summary>What tests of verification and repair in a driver's store share: a store with something of every kind in it, and ways to damage it that every driver has.</summary>
public abstract class DriverIntegrityTest : IDisposable
{
    private protected const string Place = "20260301T120000Z-x";

    private protected static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private protected static readonly StageId Stage = new("nightly", null, "ingest"), InRun = new("nightly", "r1", "größe/1"), Other = new("nightly", null, "other");
    private protected static readonly StoreKey Key = DriverKeys.Of(Stage), Journal = DriverKeys.Of(Stage, DriverKeys.Items), Outputs = DriverKeys.Of(Stage, DriverKeys.ItemOutput), History = DriverKeys.OfHistory("nightly"),
        Run = DriverKeys.OfRun("nightly", "r1"), Breaker = DriverKeys.Of(new DocumentName("nightly", DriverKeys.Breaker, "api"));

    private StoreDriver? _driver;

    private protected StoreDriver Driver => _driver ??= Open();

    private protected CheckpointStore Store => new DriverStore(Driver);

    public virtual void Dispose()
    {
        _driver?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    private protected abstract StoreDriver Open();

    /// <summary>A state in a payload, of whole bytes.</summary>
    private protected static TestState Bytes(int seed, int length = 40_000) => new($"{{\"$byte[]\":{{\"blob\":[0,{length}]}}}}", TestState.Large(seed, length).Blob);

    private protected static TestState Output(int length) => new($"[{{\"$byte[]\":{{\"blob\":[0,{length}]}}}}]", new byte[length], true);

    private protected static ItemEntry Item(string key, ItemOutput? output) => new() { Id = ItemId.Of(key), Key = key, At = Noon, Output = output };

    /// <summary>Step 1 in its record, step 2 in a payload, a stage of a run, items with outputs, a run, a breaker, a lease and six lines of history.</summary>
    private protected async Task Fill(CheckpointKey? key = null)
    {
        var engine = new CheckpointEngine(Store, key: key);
        await engine.SaveAsync(Draft(TestState.Small("one"), 1), new RetentionPolicy(), default);
        await engine.SaveAsync(Draft(Bytes(2), 2), new RetentionPolicy(), default);
        await engine.SaveAsync(Draft(TestState.Small("in a run"), 1, InRun), new RetentionPolicy(), default);
        using (var items = await engine.Store.OpenItemsAsync(Stage, default))
        {
            items.Append([Item("a", null), Item("b", items.WriteOutput(ItemId.Of("b"), Output(20_000), default)), Item("c", null)], default);
            items.Append([Item("d", null)], default);
        }
        await Store.WriteRunAsync(new CheckpointRun { Pipeline = "nightly", Run = "r1", StartedAt = Noon, Attempts = 1, Status = RunStatus.Completed, Host = "h", User = "u", Stages = new([]) }, default);
        await Store.WriteDocumentAsync(new DocumentName("nightly", DriverKeys.Breaker, "api"), CircuitFormat.Serialize(new CircuitRecord { Pipeline = "nightly", Name = "api" }), default);
        (await Store.TryLeaseAsync(new LeaseName(Stage), LeaseHolder.Self(TimeProvider.System), TimeSpan.FromMinutes(1), default)).Lease!.Dispose();
        for (var i = 1; i <= 3; i++)
            await engine.History.RecordAsync(CheckpointEvents.StageStarted, Stage, i, null, default);
    }

    private protected static CheckpointDraft Draft(IStateSource? state, long? step = null, StageId? stage = null) => new() { Stage = stage ?? Stage, Step = step, State = state, SavedAt = Noon };

    private protected async Task<StoreEntry> Read(StoreKey key, long? step = null) => (await Driver.ReadAsync(key, step, default))!;

    private protected static string Text(StoreEntry entry) => Encoding.UTF8.GetString(entry.Record.Span);

    /// <summary>Puts other bytes in the place of a record; all else of the entry stays.</summary>
    private protected async Task Replace(StoreEntry entry, byte[] record) => Assert.True(await Driver.ReplaceRecordAsync(entry, record, entry.Revision, default));

    private protected async Task Flip(StoreKey key, long? step = null, int at = -1)
    {
        var entry = await Read(key, step);
        var bytes = entry.Record.ToArray();
        bytes[at < 0 ? bytes.Length / 2 : at] ^= 1;
        await Replace(entry, bytes);
    }

    /// <summary>Changes the text of a sealed record, and its checksum with it.</summary>
    private protected async Task Reseal(StoreKey key, long? step, Func<string, string> change)
    {
        var entry = await Read(key, step);
        var body = change(Text(entry)[..^85]);
        var checksum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));
        Assert.True(await Driver.ReplaceRecordAsync(entry, Encoding.UTF8.GetBytes($"{body},\n  \"checksum\": \"{checksum}\"\n}}\n"), checksum, default));
    }

    /// <summary>Saves an entry anew, with another payload of the same name; or without one.</summary>
    private protected async Task SetPayload(StoreKey key, long step, string name, byte[]? payload)
    {
        var entry = await Read(key, step);
        await Driver.RemoveAsync(key, [new StoreStep(step, null)], null, default);
        await Put(key, step, entry, payload, name);
    }

    /// <summary>Saves an entry as it is, under any key.</summary>
    private protected async Task Put(StoreKey key, long? step, StoreEntry entry, byte[]? payload = null, string? name = null)
    {
        await using var save = await Driver.BeginSaveAsync(key, default);
        if (payload is not null)
        {
            using var stream = save.OpenPayload(name!);
            stream.Write(payload);
        }
        Assert.NotNull(await save.CommitAsync(new StoreCommit { Step = step, MakeRecord = (_, _) => (entry.Record, entry.Revision) }, default));
    }

    /// <summary>Copies the journal of a stage's items and their outputs to where those of another one lie.</summary>
    private protected async Task CopyItems(StageId to)
    {
        var output = await Read(Outputs);
        var (bytes, name) = ((await Driver.Payload(Outputs, 1, Text(output)))!, DriverTest.NewName());
        await Put(DriverKeys.Of(to, DriverKeys.ItemOutput), 1, output with { Record = DriverTest.Bytes(name), Revision = name }, bytes, name);
        foreach (var entry in await Driver.ReadAboveAsync(Journal, 0, default).All())
            await Put(DriverKeys.Of(to, DriverKeys.Items), entry.Step, entry);
    }

    private protected async Task<(string Name, byte[] Bytes)> Payload(long step = 2)
    {
        var name = RecordFormat.Parse((await Read(Key, step)).Record, "", "", "").State!.Payload!;
        return (name, (await Driver.Payload(Key, step, name))!);
    }

    private protected async Task<List<StoreFinding>> Find(StoreScope? scope = null)
    {
        var found = new List<StoreFinding>();
        await foreach (var finding in Store.VerifyAsync(scope ?? new StoreScope(), null, default))
            found.Add(finding);
        return found;
    }

    /// <summary>What is found, each as its severity, kind and place in the store.</summary>
    private protected async Task<IEnumerable<string>> Verify(StoreScope? scope = null) => (await Find(scope)).Select(f => $"{f.Severity} {f.Kind} {f.Location[(Driver.Location.Length + 1)..]}");

    private protected async Task<List<StoreFinding>> Repair(CheckpointKey? key = null)
    {
        var done = new List<StoreFinding>();
        foreach (var finding in (await Find(new StoreScope { Key = key })).Where(f => f.Remedy != FindingAction.None))
        {
            if (await Store.RepairAsync(finding, Place, key, default) is { } repaired)
                done.Add(repaired);
        }
        return done;
    }

    /// <summary>All that is in the store but histories and the quarantine, each entry as its place and a hash of its record and payload.</summary>
    private protected async Task<SortedDictionary<string, string>> Contents()
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var kind in new[] { DriverKeys.Checkpoint, DriverKeys.Items, DriverKeys.ItemOutput, DriverKeys.Run, DriverKeys.Breaker })
        {
            foreach (var inRuns in new[] { false, true })
            {
                foreach (var key in (await Driver.ListAsync(new StoreQuery(kind, null, null, inRuns, null), default).All()).Select(e => e.Key))
                {
                    foreach (var step in await Driver.ListStepsAsync(key, default))
                        all[new DriverRecords("").Place(key, step)] = Hash(await Read(key, step), await Driver.Payload(key, step, null));
                }
            }
        }
        return all;
    }

    /// <summary>What was put aside, oldest first, each with its payload.</summary>
    private protected async Task<List<(StoreEntry Entry, byte[]? Payload)>> Quarantine(StoreKey key)
    {
        var kept = new List<(StoreEntry Entry, byte[]? Payload)>();
        var place = key with { Kind = DriverKeys.Quarantine };
        foreach (var entry in await Driver.ReadAboveAsync(place, 0, default).All())
            kept.Add((entry, await Driver.Payload(place, entry.Step, null)));
        return kept;
    }

    private protected async Task<CheckpointEvent> LastEvent()
    {
        CheckpointEvent? last = null;
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Any, default))
            last = entry;
        return last!;
    }

    private static string Hash(StoreEntry entry, byte[]? payload) => $"{entry.Revision} {Convert.ToHexString(SHA256.HashData(entry.Record.Span))} {(payload is null ? "" : Convert.ToHexString(SHA256.HashData(payload)))}";
}
