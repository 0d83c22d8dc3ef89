namespace Checkpoint;

/// <summary>Reads what a report tells: runs, the history and the checkpoints there are. What cannot be read is told, and hinders nothing else.</summary>
/// <param name="engine">Where it is kept.</param>
/// <param name="time">The clock.</param>
internal sealed class ReportBuilder(CheckpointEngine engine, TimeProvider time)
{
    private const int MaxFailures = 100;
    private const int MaxError = 4000;

    private readonly CheckpointStore _store = engine.Store;

    /// <summary>Reads the report.</summary>
    public ValueTask<CheckpointReport> BuildAsync(ReportScope scope, CancellationToken cancellation) => BuildAsync(scope, null, cancellation);

    /// <summary>Reads the report, and of a large store no more of it than what may have changed.</summary>
    /// <param name="scope">What it is about.</param>
    /// <param name="before">The report as it was, or null to read all. Only what the history tells of since, and what somebody was at work on, is read anew.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public async ValueTask<CheckpointReport> BuildAsync(ReportScope scope, CheckpointReport? before, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        // The history first: what is saved later has its line later too, so nothing is told of that is not there yet.
        var events = new List<CheckpointEvent>();
        await foreach (var entry in _store.ReadHistoryAsync(scope.Pipeline, cancellation))
        {
            if (scope.Includes(entry.Pipeline, entry.Run))
                events.Add(entry);
        }
        var history = events.Select(e => new ReportEvent(e)).ToList();
        var changed = before is null ? null : Changed(before, history);
        var runs = new Dictionary<RunName, RunTimeline>();
        var problems = new List<string>(changed is null ? [] : before!.Problems);
        foreach (var entry in events)
        {
            if (changed?.Contains(NameOf(entry.Pipeline, entry.Run)) != false)
                Run(runs, entry.Pipeline, entry.Run).Add(entry);
        }
        foreach (var part in changed is null ? [scope] : changed.Select(ScopeOf))
            await ReadAsync(part, runs, problems, cancellation);
        foreach (var run in runs.Values)
            await run.SettleAsync((stage, token) => IsHeldAsync(stage, problems, token), cancellation);
        var told = runs.Values.Where(r => r.IsWorthTelling).Select(r => r.Told());
        if (changed is not null)
            told = told.Concat(before!.Runs.Where(r => !changed.Contains(NameOf(r.Pipeline, r.Run))));
        return new CheckpointReport
        {
            GeneratedAt = now,
            Store = _store.Location,
            Runs = told.OrderByDescending(r => r.StartedAt).ThenBy(r => r.Pipeline, StringComparer.Ordinal).ThenBy(r => r.Run, StringComparer.Ordinal).ToList(),
            // The histories of pipelines come one after the other.
            History = [.. history.OrderBy(e => e.Time)],
            AsWritten = history,
            Problems = [.. problems.Distinct()],
        };
    }

    /// <summary>Tells of one run by what its runner knows and what is saved of it. The history is not read: at the end of each job that would take longer the older the store is.</summary>
    /// <param name="account">What the runner knows.</param>
    /// <param name="cancellation">Ends the reading; then, and where the store cannot be read, the runner's account is all.</param>
    public async ValueTask<ReportRun> TellAsync(CheckpointRun account, CancellationToken cancellation)
    {
        var name = NameOf(account.Pipeline, account.Run);
        var runs = new Dictionary<RunName, RunTimeline> { [name] = new(account.Pipeline, account.Run) { Account = account } };
        try
        {
            await ListAsync(ScopeOf(name), runs, [], cancellation);
        }
        catch (Exception e) when (e is CheckpointException or OperationCanceledException)
        {
            // A report that says less is better than a job that fails by it.
        }
        return runs[name].Told();
    }

    /// <summary>The lines that came to a history, both as it was written; null where it lost some, as when the store was replaced.</summary>
    public static IReadOnlyList<ReportEvent>? NewLines(IReadOnlyList<ReportEvent> before, IReadOnlyList<ReportEvent> now)
    {
        var known = before.GroupBy(e => e.Pipeline, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        var lines = new List<ReportEvent>();
        foreach (var line in now)
        {
            if (known.GetValueOrDefault(line.Pipeline) is > 0 and var left)
                known[line.Pipeline] = left - 1;
            else
                lines.Add(line);
        }
        return known.Values.Any(left => left > 0) ? null : lines;
    }

    // Null for all.
    private static HashSet<RunName>? Changed(CheckpointReport before, List<ReportEvent> history)
    {
        if (NewLines(before.AsWritten, history) is not { } lines)
            return null;
        // Of what is at work the history does not tell how many items are done, nor that its process died.
        var atWork = before.Runs.Where(r => r.Status == RunStatus.Running || r.Stages.Any(s => s.Status is ReportStatus.Begun || s.Spans is [.., { End: null }]));
        return [.. lines.Select(e => NameOf(e.Pipeline, e.Run)), .. atWork.Select(r => NameOf(r.Pipeline, r.Run))];
    }

    // Whoever works on a stage has its lease. Where it cannot be asked, nothing is known of its end.
    private async ValueTask<bool> IsHeldAsync(StageId stage, List<string> problems, CancellationToken cancellation)
    {
        try
        {
            return await _store.FindLeaseAsync(new LeaseName(stage), cancellation) is not null;
        }
        catch (CheckpointException e)
        {
            problems.Add(e.Message);
            return true;
        }
    }

    private static ReportScope ScopeOf(RunName name) => name.Run is null
        ? new ReportScope { Pipeline = NamePattern.Of(name.Pipeline), Run = null }
        : new ReportScope { Pipeline = NamePattern.Of(name.Pipeline), Run = NamePattern.Of(name.Run), WithoutRun = false };

    private static RunName NameOf(string pipeline, string? run) => new(CheckpointNames.Key(pipeline), run is null ? null : CheckpointNames.Key(run));

    private static RunTimeline Run(Dictionary<RunName, RunTimeline> runs, string pipeline, string? run)
    {
        var key = NameOf(pipeline, run);
        if (!runs.TryGetValue(key, out var timeline))
            runs[key] = timeline = new RunTimeline(pipeline, run);
        return timeline;
    }

    private async ValueTask ReadAsync(ReportScope scope, Dictionary<RunName, RunTimeline> runs, List<string> problems, CancellationToken cancellation)
    {
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
        await ListAsync(scope, runs, problems, cancellation);
    }

    private async ValueTask ListAsync(ReportScope scope, Dictionary<RunName, RunTimeline> runs, List<string> problems, CancellationToken cancellation)
    {
        NamePattern?[] meant = scope.Run is null ? [null] : scope.WithoutRun ? [scope.Run, null] : [scope.Run];
        foreach (var run in meant)
        {
            await foreach (var stage in _store.ListAsync(new StageQuery { Pipeline = scope.Pipeline, Run = run, WithLeftovers = true }, cancellation))
            {
                if (scope.Includes(stage.Stage.Pipeline, stage.Stage.Run))
                    await AddAsync(runs, stage, problems, cancellation);
            }
        }
    }

    private async ValueTask AddAsync(Dictionary<RunName, RunTimeline> runs, StageListing listing, List<string> problems, CancellationToken cancellation)
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
            using var log = await _store.ReadItemsAsync(stage, cancellation);
            // Where it failed, or -1 where it is done.
            var items = new Dictionary<ItemId, long>();
            log.ReadAll(mark => items[mark.Id] = mark.IsDone ? -1 : mark.At, cancellation);
            var failed = items.Values.Where(at => at >= 0).Order().ToList();
            var failures = new List<ReportItemFailure>();
            foreach (var at in failed.TakeLast(MaxFailures))
            {
                var failure = log.ReadFailure(at, cancellation);
                failures.Add(new ReportItemFailure(failure.Key, failure.At, ShortText.Cut(failure.Error ?? "", MaxError)));
            }
            return new ReportItems(items.Count - failed.Count, failed.Count, failures);
        }
        catch (Exception e) when (e is CheckpointException or InvalidDataException)
        {
            problems.Add(e.Message);
            return null;
        }
    }
}
