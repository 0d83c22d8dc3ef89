using System.Runtime.CompilerServices;

namespace Checkpoint;

/// <summary>
/// Copies what one store holds to another, of whatever kinds they are: each step of checkpoints as it was saved, then the records of runs and the histories. What is there already is not copied again,
/// so a copying that was cut off goes on, and one that is repeated brings what is new. No key is needed: what is encrypted stays so.
/// </summary>
/// <param name="from">The store that is read.</param>
/// <param name="to">The store that is written.</param>
internal sealed class StoreCopy(CheckpointStore from, CheckpointStore to)
{
    private const int EventsAtOnce = 500;

    private readonly StepCopy _step = new(from, to);

    /// <summary>Copies checkpoints.</summary>
    /// <param name="scope">Which.</param>
    /// <param name="steps">Only these steps, or null for all.</param>
    /// <param name="mayCopy">Asked before one is copied or replaced.</param>
    /// <param name="overwrite">Whether a step that is there and is another one is replaced.</param>
    /// <param name="progress">Told the bytes of payloads that were read.</param>
    /// <param name="cancellation">Ends it between two steps, or within one, which is not copied then.</param>
    public async IAsyncEnumerable<CopyOutcome> CheckpointsAsync(StoreScope scope, IReadOnlyCollection<long>? steps, Func<CheckpointInfo, bool> mayCopy, bool overwrite, Action<long>? progress, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var stage in await StagesAsync(from, scope, cancellation))
        {
            // Oldest first: cut off, the other store has an older state of the stage, as at a time before.
            foreach (var step in stage.Steps.Where(step => steps?.Contains(step) != false).Reverse())
            {
                cancellation.ThrowIfCancellationRequested();
                if (await _step.CopyAsync(stage.Stage, step, mayCopy, overwrite, progress, cancellation) is { } outcome)
                    yield return outcome;
            }
            if (stage.Steps.Count == 0 && stage.Newest.Fault is { } fault)
                yield return new CopyOutcome(null, false, fault);
        }
    }

    /// <summary>Removes from the other store the steps that this one does not have (any more).</summary>
    /// <param name="scope">Which.</param>
    /// <param name="mayRemove">Asked before those of a stage are removed.</param>
    /// <param name="cancellation">Ends it between two stages.</param>
    /// <returns>How many were removed of each stage.</returns>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.StoreUnavailable"/> where this store holds nothing and never did: then it is a wrong one, or not there.</exception>
    public async IAsyncEnumerable<int> RemoveOthersAsync(StoreScope scope, Func<StageId, IReadOnlyList<long>, bool> mayRemove, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!await from.HoldsAnythingAsync(cancellation))
            throw CheckpointErrors.NothingToMirror(from.Location, to.Location);
        foreach (var stage in await StagesAsync(to, scope, cancellation))
        {
            cancellation.ThrowIfCancellationRequested();
            var kept = (await from.FindAsync(stage.Stage.Elsewhere, cancellation))?.Steps ?? [];
            var others = stage.Steps.Except(kept).ToList();
            // It may go away at any time, and has nothing at all then.
            if (!from.IsThere)
                throw CheckpointErrors.NothingToMirror(from.Location, to.Location);
            if (others.Count > 0 && mayRemove(stage.Stage, others))
                yield return await to.RemoveAsync(stage.Stage, [.. others.Select(step => new DoomedStep(step))], cancellation);
        }
    }

    /// <summary>Copies the records of runs.</summary>
    /// <returns>How many are new or changed; and what is wrong with those that could not be read.</returns>
    public async ValueTask<(int Copied, IReadOnlyList<CheckpointException> Faults)> RunsAsync(StoreScope scope, CancellationToken cancellation)
    {
        var there = new Dictionary<StoreKey, CheckpointRun>();
        await foreach (var reading in to.ListRunsAsync(scope.Pipeline, scope.Run ?? NamePattern.Any, cancellation))
        {
            if (reading.Run is { } run)
                there[DriverKeys.OfRun(run.Pipeline, run.Run)] = run;
        }
        var (copied, faults) = (0, new List<CheckpointException>());
        await foreach (var reading in from.ListRunsAsync(scope.Pipeline, scope.Run ?? NamePattern.Any, cancellation))
        {
            if (reading.Fault is not null)
                faults.Add(reading.Fault);
            // A run that went on in the other store is further there.
            if (reading.Run is not { } run || (there.TryGetValue(DriverKeys.OfRun(run.Pipeline, run.Run), out var other) && Progress(run).CompareTo(Progress(other)) <= 0))
                continue;
            await to.WriteRunAsync(run, cancellation);
            copied++;
        }
        return (copied, faults);
    }

    /// <summary>Copies histories: the events that the other store does not have.</summary>
    /// <returns>How many.</returns>
    public async ValueTask<long> HistoryAsync(StoreScope scope, CancellationToken cancellation)
    {
        var there = new Dictionary<object, int>();
        await foreach (var entry in to.ReadHistoryAsync(scope.Pipeline, cancellation))
            there[Identify(entry)] = there.GetValueOrDefault(Identify(entry)) + 1;
        var copied = 0L;
        var pending = new List<CheckpointEvent>();
        await foreach (var entry in from.ReadHistoryAsync(scope.Pipeline, cancellation))
        {
            if (there.GetValueOrDefault(Identify(entry)) is > 0 and var count)
            {
                there[Identify(entry)] = count - 1;
                continue;
            }
            if (pending.Count == EventsAtOnce || (pending.Count > 0 && CheckpointNames.Key(pending[0].Pipeline) != CheckpointNames.Key(entry.Pipeline)))
                await FlushAsync();
            pending.Add(entry);
            copied++;
        }
        await FlushAsync();
        return copied;

        async ValueTask FlushAsync()
        {
            if (pending.Count > 0)
                await to.AppendHistoryAsync(pending[0].Pipeline, [.. pending], cancellation);
            pending.Clear();
        }
    }

    private static async ValueTask<List<StageListing>> StagesAsync(CheckpointStore store, StoreScope scope, CancellationToken cancellation)
    {
        var stages = new List<StageListing>();
        foreach (var run in scope.Run is null ? new NamePattern?[] { null } : scope.Run.IsAny ? [null, NamePattern.Any] : [scope.Run])
        {
            await foreach (var stage in store.ListAsync(new StageQuery { Pipeline = scope.Pipeline, Run = run, Name = scope.Name }, cancellation))
                stages.Add(stage);
        }
        return stages;
    }

    private static (DateTimeOffset, int, DateTimeOffset, int) Progress(CheckpointRun run) => (run.SortsAt, run.Attempts, run.EndedAt ?? DateTimeOffset.MinValue, run.Stages.Count);

    private static object Identify(CheckpointEvent entry) =>
        (CheckpointNames.Key(entry.Pipeline), entry.Time, entry.Event, entry.Run, entry.Name, entry.Step, (entry.Reason, entry.Host, entry.User, entry.ProcessId));
}
