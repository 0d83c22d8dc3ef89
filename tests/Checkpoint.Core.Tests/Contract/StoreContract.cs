using System.Collections.ObjectModel;

namespace Checkpoint.Tests;

/// <summary>What every kind of store must do, whatever it is made of. Each kind has a class for each part of this suite that says how its stores are made.</summary>
public abstract class StoreContract : IDisposable
{
    private protected static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private protected static readonly StageId Stage = new("nightly", null, "ingest");

    private CheckpointStore? _store;

    private protected TempFolder Temp { get; } = new();

    /// <summary>The store under test: nothing was ever saved in it.</summary>
    private protected CheckpointStore Store => _store ??= Open();

    /// <summary>The same store as another process sees it, which remembers nothing.</summary>
    private protected abstract CheckpointStore Open();

    public virtual void Dispose()
    {
        Temp.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static CheckpointDraft Draft(IStateSource? state = null, long? step = null, bool overwrite = false, StageId? stage = null, LeaseFence? fence = null) => new()
    {
        Stage = stage ?? Stage,
        Step = step,
        Overwrite = overwrite,
        State = state,
        SavedAt = Noon,
        Fence = fence,
        Metadata = new ReadOnlyDictionary<string, object?>(new Dictionary<string, object?> { ["rows"] = 5L }),
    };

    private protected async Task<CheckpointInfo> Save(IStateSource? state = null, long? step = null, bool overwrite = false, StageId? stage = null) => await Store.SaveAsync(Draft(state, step, overwrite, stage), default);

    private protected async Task<IReadOnlyList<long>> Steps(StageId? stage = null) => [.. (await Open().FindAsync(stage ?? Stage, default))?.Steps ?? []];

    private protected async Task<TestState?> Restore(long? step = null, StageId? stage = null) =>
        (await new CheckpointEngine(new DelegatingStore(Open()) { HasHistory = false }).RestoreAsync(stage ?? Stage, step, TestState.Read, null, default)).State;

    private protected async Task<List<StageListing>> List(StageQuery query)
    {
        var stages = new List<StageListing>();
        await foreach (var stage in Open().ListAsync(query, default))
            stages.Add(stage);
        return stages;
    }

    private protected static async Task<CheckpointErrorKind> Fails(Func<ValueTask> work) => (await Assert.ThrowsAsync<CheckpointException>(async () => await work())).Kind;
}
