using System.Collections.ObjectModel;

namespace Checkpoint.Tests;

/// <summary>What tests of the folder store share: a store that is not there yet, in a folder of its own.</summary>
public abstract class StoreTest : IDisposable
{
    private protected static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private protected static readonly StageId Stage = new("nightly", null, "ingest");

    protected StoreTest()
    {
        Root = Path.Join(Temp.Path, "store");
        Store = new FolderStore(Root);
        StageFolder = FolderLayout.StagePath(Root, Stage);
    }

    private protected TempFolder Temp { get; } = new();

    private protected string Root { get; }

    private protected string StageFolder { get; }

    /// <summary>A store on the real file system.</summary>
    private protected FolderStore Store { get; set; }

    public void Dispose()
    {
        Temp.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static CheckpointDraft Draft(IStateSource? state = null, long? step = null, bool overwrite = false, StageId? stage = null, DateTimeOffset? savedAt = null, Dictionary<string, object?>? metadata = null, LeaseFence? fence = null) => new()
    {
        Stage = stage ?? Stage,
        Step = step,
        Overwrite = overwrite,
        State = state,
        SavedAt = savedAt ?? Noon,
        Fence = fence,
        Metadata = metadata is null ? CheckpointInfo.NoMetadata : new ReadOnlyDictionary<string, object?>(metadata),
    };

    private protected async Task<CheckpointInfo> Save(IStateSource? state = null, long? step = null, bool overwrite = false, StageId? stage = null, DateTimeOffset? savedAt = null, Dictionary<string, object?>? metadata = null) =>
        await Store.SaveAsync(Draft(state, step, overwrite, stage, savedAt, metadata), default);

    private protected async Task<IReadOnlyList<long>> Steps(StageId? stage = null) => (await Store.FindAsync(stage ?? Stage, default))?.Steps ?? [];

    private protected Task<TestState?> Restore(long? step = null, StageId? stage = null) => Restore(Store, step, stage);

    private protected static async Task<TestState?> Restore(CheckpointStore store, long? step = null, StageId? stage = null) =>
        (await new CheckpointEngine(new DelegatingStore(store) { HasHistory = false }).RestoreAsync(stage ?? Stage, step, TestState.Read, null, default)).State;

    private protected static async Task<List<StageListing>> List(CheckpointStore store, StageQuery query)
    {
        var stages = new List<StageListing>();
        await foreach (var stage in store.ListAsync(query, default))
            stages.Add(stage);
        return stages;
    }

    private protected string RecordPath(long step) => Path.Join(StageFolder, FolderLayout.RecordName(step));

    /// <summary>The names of the files in the stage's folder.</summary>
    private protected List<string> Names(FolderEntryKind kind) =>
        [.. Directory.EnumerateFiles(StageFolder).Select(f => Path.GetFileName(f)).Where(f => FolderLayout.Classify(f).Kind == kind).Order(StringComparer.Ordinal)];
}
