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

    /// <summary>Copies checkpoints.</summary>
    /// <param name="scope">Which.</param>
    /// <param name="mayCopy">Asked before one is copied or replaced.</param>
    /// <param name="overwrite">Whether a step that is there and is another one is replaced.</param>
    /// <param name="progress">Told the bytes of payloads that were read.</param>
    /// <param name="cancellation">Ends it between two steps, or within one, which is not copied then.</param>
    public async IAsyncEnumerable<CopyOutcome> CheckpointsAsync(StoreScope scope, Func<CheckpointInfo, bool> mayCopy, bool overwrite, Action<long>? progress, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var run in scope.Run is null ? new NamePattern?[] { null } : scope.Run.IsAny ? [null, NamePattern.Any] : [scope.Run])
        {
            var stages = new List<StageListing>();
            await foreach (var stage in from.ListAsync(new StageQuery { Pipeline = scope.Pipeline, Run = run, Name = scope.Name }, cancellation))
                stages.Add(stage);
            foreach (var stage in stages)
            {
                // Oldest first: cut off, the other store has an older state of the stage, as at a time before.
                foreach (var step in stage.Steps.Reverse())
                {
                    cancellation.ThrowIfCancellationRequested();
                    if (await CopyAsync(stage.Stage, step, mayCopy, overwrite, progress, cancellation) is { } outcome)
                        yield return outcome;
                }
                if (stage.Steps.Count == 0 && stage.Newest.Fault is { } fault)
                    yield return new CopyOutcome(null, false, fault);
            }
        }
    }

    /// <summary>Copies the records of runs.</summary>
    /// <returns>How many are new or changed; and what is wrong with those that could not be read.</returns>
    public async ValueTask<(int Copied, IReadOnlyList<CheckpointException> Faults)> RunsAsync(StoreScope scope, CancellationToken cancellation)
    {
        var there = new Dictionary<StoreKey, byte[]>();
        await foreach (var reading in to.ListRunsAsync(scope.Pipeline, scope.Run ?? NamePattern.Any, cancellation))
        {
            if (reading.Run is { } run)
                there[DriverKeys.OfRun(run.Pipeline, run.Run)] = RunFormat.Serialize(run).ToArray();
        }
        var (copied, faults) = (0, new List<CheckpointException>());
        await foreach (var reading in from.ListRunsAsync(scope.Pipeline, scope.Run ?? NamePattern.Any, cancellation))
        {
            if (reading.Fault is not null)
                faults.Add(reading.Fault);
            if (reading.Run is not { } run || there.GetValueOrDefault(DriverKeys.OfRun(run.Pipeline, run.Run)).AsSpan().SequenceEqual(RunFormat.Serialize(run).Span))
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

    private static object Identify(CheckpointEvent entry) =>
        (CheckpointNames.Key(entry.Pipeline), entry.Time, entry.Event, entry.Run, entry.Name, entry.Step, (entry.Reason, entry.Host, entry.User, entry.ProcessId));

    private async ValueTask<CopyOutcome?> CopyAsync(StageId stage, long step, Func<CheckpointInfo, bool> mayCopy, bool overwrite, Action<long>? progress, CancellationToken cancellation)
    {
        try
        {
            if ((await from.ReadAsync(stage, step, cancellation)).OrThrow() is not { } saved)
                return null;
            var there = await to.ReadAsync(saved.StageId, step, cancellation);
            // Only what is whole is there: where its payload was damaged since, it is copied again.
            if (there.Info is { } same && IsSame(saved, same) && await IsWholeAsync(same, cancellation))
                return new CopyOutcome(same, false, null);
            var replaces = there.Info is not { } other || IsSame(saved, other);
            if (!there.IsMissing && !replaces && !overwrite)
                return new CopyOutcome(saved, false, CheckpointErrors.OtherThere(saved, to.Location));
            if (!mayCopy(saved))
                return null;
            var copy = await SaveAsync(saved, !there.IsMissing, progress, cancellation);
            // As it lies there now, not as it was sent.
            if ((await to.ReadAsync(copy.StageId, step, cancellation)).OrThrow() is not { } read || !IsSame(saved, read) || !await IsWholeAsync(read, cancellation))
                return new CopyOutcome(saved, false, CheckpointErrors.CopiedWrong(saved, to.Location));
            return new CopyOutcome(read, true, null);
        }
        catch (InvalidDataException e)
        {
            return new CopyOutcome(null, false, CheckpointErrors.Damaged(stage, step, from.Location, e.Message, e));
        }
        catch (CheckpointException e) when (e.Kind is CheckpointErrorKind.CheckpointDamaged or CheckpointErrorKind.FormatTooNew)
        {
            return new CopyOutcome(null, false, e);
        }
    }

    private async ValueTask<CheckpointInfo> SaveAsync(CheckpointInfo saved, bool overwrite, Action<long>? progress, CancellationToken cancellation)
    {
        using var reader = saved.State is null ? null : await from.OpenStateAsync(saved, null, cancellation);
        return await to.SaveAsync(
            new CheckpointDraft
            {
                Stage = saved.StageId,
                Step = saved.Step,
                Overwrite = overwrite,
                Fingerprint = saved.Fingerprint,
                Metadata = saved.Metadata,
                Identity = saved.Identity,
                OutputFiles = saved.OutputFiles,
                State = reader is null ? null : new RawState(saved.State!, reader),
                Close = saved.Encryption is { } envelope ? _ => envelope : null,
                SavedAt = saved.SavedAt,
                Origin = new CheckpointOrigin(saved.Host, saved.User, saved.ProcessId),
                Progress = progress,
            },
            cancellation);
    }

    private async ValueTask<bool> IsWholeAsync(CheckpointInfo info, CancellationToken cancellation)
    {
        if (info.State?.Payload is null)
            return true;
        using var reader = await to.OpenStateAsync(info, null, cancellation);
        return reader.IsWhole();
    }

    // Each store has its own names of payloads.
    private static bool IsSame(CheckpointInfo a, CheckpointInfo b) => a.StageId.Equals(b.StageId) && Essence(a).AsSpan().SequenceEqual(Essence(b));

    private static byte[] Essence(CheckpointInfo info) => RecordFormat.Serialize(info.WithState(info.State?.Payload is null ? info.State : info.State.Named("")), "");
}
