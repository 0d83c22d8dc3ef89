namespace Checkpoint;

/// <summary>Reads what a report tells: runs, the history and the checkpoints there are. What cannot be read is told, and hinders nothing else.</summary>
/// <param name="engine">Where it is kept.</param>
/// <param name="time">The clock.</param>
internal sealed class ReportBuilder(CheckpointEngine engine, TimeProvider time)
{
    private readonly CheckpointStore _store = engine.Store;

    public async ValueTask<CheckpointReport> BuildAsync(ReportScope scope, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var runs = new Dictionary<(string Pipeline, string? Run), RunTimeline>();
        var problems = new List<string>();
        var history = new List<ReportEvent>();
        // The history first: what is saved later has its line later too, so nothing is told of that is not there yet.
        await foreach (var entry in _store.ReadHistoryAsync(scope.Pipeline, cancellation))
        {
            if (!scope.Includes(entry.Pipeline, entry.Run))
                continue;
            history.Add(new ReportEvent(entry));
            Run(runs, entry.Pipeline, entry.Run).Add(entry);
        }
        if (scope.Run is not null)
        {
            await foreach (var (run, fault) in new RunRegistry(_store, engine.History, time).FindAsync(scope.Pipeline, scope.Run, cancellation))
            {
                if (run is null)
                    problems.Add(fault!.Message);
                else if (scope.Includes(run.Pipeline, run.Run))
                    Run(runs, run.Pipeline, run.Run).Account = run;
            }
        }
        foreach (var run in new[] { scope.Run, null })
        {
            if (run is null ? !scope.WithoutRun : scope.Run is null)
                continue;
            await foreach (var stage in _store.ListAsync(new StageQuery { Pipeline = scope.Pipeline, Run = run, WithLeftovers = true }, cancellation))
            {
                if (scope.Includes(stage.Stage.Pipeline, stage.Stage.Run))
                    await AddAsync(runs, stage, problems, cancellation);
            }
        }
        return new CheckpointReport
        {
            GeneratedAt = now,
            Store = _store.Location,
            Runs = runs.Values.Where(r => r.IsWorthTelling).Select(r => r.Told()).OrderByDescending(r => r.StartedAt).ThenBy(r => r.Pipeline, StringComparer.Ordinal).ThenBy(r => r.Run, StringComparer.Ordinal).ToList(),
            // The histories of pipelines come one after the other.
            History = [.. history.OrderBy(e => e.Time)],
            Problems = problems,
        };
    }

    private static RunTimeline Run(Dictionary<(string Pipeline, string? Run), RunTimeline> runs, string pipeline, string? run)
    {
        var key = (CheckpointNames.Key(pipeline), run is null ? null : CheckpointNames.Key(run));
        if (!runs.TryGetValue(key, out var timeline))
            runs[key] = timeline = new RunTimeline(pipeline, run);
        return timeline;
    }

    private async ValueTask AddAsync(Dictionary<(string Pipeline, string? Run), RunTimeline> runs, StageListing listing, List<string> problems, CancellationToken cancellation)
    {
        var stage = listing.Stage;
        ReportCheckpoint? checkpoint = null;
        foreach (var step in listing.Steps)
        {
            var reading = step == listing.Steps[0] ? listing.Newest : await _store.ReadAsync(stage, step, cancellation);
            if (reading.Fault is { } fault)
                problems.Add(fault.Message);
            if (reading.Info is not { } info)
                continue;
            checkpoint = new ReportCheckpoint(info.Step, listing.Steps.Count, info.SavedAt, info.StateSize, info.Encrypted, info.OutputFiles.Count);
            break;
        }
        if (listing.Steps.Count == 0 && listing.Newest.Fault is { } unreadable)
            problems.Add(unreadable.Message);
        var items = listing.HasItems ? await CountAsync(stage, problems, cancellation) : null;
        if (checkpoint is not null || items is not null)
            Run(runs, stage.Pipeline, stage.Run).Add(stage, checkpoint, items);
    }

    private async ValueTask<ReportItems?> CountAsync(StageId stage, List<string> problems, CancellationToken cancellation)
    {
        try
        {
            using var log = await _store.OpenItemsAsync(stage, cancellation);
            var items = new Dictionary<ItemId, bool>();
            log.ReadAll(mark => items[mark.Id] = mark.IsDone, cancellation);
            var done = items.Values.LongCount(isDone => isDone);
            return new ReportItems(done, items.Count - done);
        }
        catch (CheckpointException e) when (e.Kind is CheckpointErrorKind.CheckpointDamaged or CheckpointErrorKind.FormatTooNew)
        {
            problems.Add(e.Message);
            return null;
        }
    }
}
