namespace Checkpoint;

/// <summary>What a history, and the checkpoints there are, tell of one run of a pipeline, or of what belongs to none.</summary>
internal sealed class RunTimeline(string pipeline, string? run)
{
    private readonly Dictionary<string, StageTimeline> _stages = [];
    private readonly Dictionary<string, (ReportCheckpoint? Checkpoint, ReportItems? Items, string Name)> _saved = [];
    private CheckpointEvent? _last;

    /// <summary>The runner's account, or null where there is none.</summary>
    public CheckpointRun? Account { get; set; }

    /// <summary>When it began, as far as is known.</summary>
    public DateTimeOffset? StartedAt { get; private set; }

    /// <summary>When something was told of it last.</summary>
    public DateTimeOffset? LastAt { get; private set; }

    /// <summary>Whether there is anything to tell but that it was looked at or cleared.</summary>
    public bool IsWorthTelling => Account is not null || _saved.Count > 0 || _stages.Values.Any(s => s.Status is not null);

    public void Add(CheckpointEvent e)
    {
        StartedAt ??= e.Time;
        // A run that goes on where its process died says so before its stages do.
        if (e.Name is null && e.Event is CheckpointEvents.RunStarted or CheckpointEvents.RunCompleted or CheckpointEvents.RunFailed or CheckpointEvents.RunInterrupted)
        {
            foreach (var stage in _stages.Values)
                stage.RunEnded(e.Event == CheckpointEvents.RunStarted ? _last?.Time ?? e.Time : e.Time);
        }
        else if (e.Name is not null)
        {
            Stage(e.Name).Add(e);
        }
        _last = e;
        LastAt = e.Time;
    }

    public void Add(StageId stage, ReportCheckpoint? checkpoint, ReportItems? items)
    {
        _saved[CheckpointNames.Key(stage.Name)] = (checkpoint, items, stage.Name);
        if (checkpoint is null)
            return;
        // Where the history was not written, or is of another store.
        StartedAt ??= checkpoint.SavedAt;
        LastAt = LastAt is { } last && last > checkpoint.SavedAt ? last : checkpoint.SavedAt;
    }

    /// <summary>Ends what no runner keeps account of and nobody is at work on any more: its process died.</summary>
    public async ValueTask SettleAsync(Func<StageId, CancellationToken, ValueTask<bool>> isHeld, CancellationToken cancellation)
    {
        foreach (var stage in _stages.Values.Where(s => Account is null && s.IsOpen))
        {
            if (!await isHeld(new StageId(pipeline, run, stage.Name), cancellation))
                stage.RunEnded(stage.LastAt);
        }
    }

    public ReportRun Told()
    {
        // Nobody is at work on it any more, whether its process could say so or not.
        if (Account is { Status: not RunStatus.Running })
        {
            foreach (var stage in _stages.Values)
                stage.RunEnded(Account.EndedAt ?? LastAt ?? Account.StartedAt);
        }
        IReadOnlyList<StageResult> ran = Account is null ? [] : Account.Stages;
        var accounts = ran.ToDictionary(s => CheckpointNames.Key(s.Name));
        var keys = ran.Select(s => CheckpointNames.Key(s.Name))
            .Concat(_stages.Where(s => s.Value.Status is not null).OrderBy(s => s.Value.First).Select(s => s.Key))
            .Concat(_saved.OrderBy(s => s.Value.Checkpoint?.SavedAt).Select(s => s.Key))
            .Distinct();
        return new ReportRun
        {
            Pipeline = Account?.Pipeline ?? pipeline,
            Run = Account?.Run ?? run,
            Status = Account?.Status,
            StartedAt = Account?.StartedAt ?? StartedAt,
            EndedAt = Account is null ? LastAt : Account.EndedAt,
            Attempts = Account?.Attempts ?? 0,
            Host = Account?.Host ?? _last?.Host ?? "",
            User = Account?.User ?? _last?.User ?? "",
            ProcessId = Account?.ProcessId ?? _last?.ProcessId ?? 0,
            LastError = Account?.LastError,
            Stages = keys.Select(key => Told(accounts.GetValueOrDefault(key), _stages.GetValueOrDefault(key), _saved.GetValueOrDefault(key))).ToList(),
        };
    }

    private static ReportStage Told(StageResult? account, StageTimeline? timeline, (ReportCheckpoint? Checkpoint, ReportItems? Items, string Name) saved)
    {
        var spans = timeline?.Spans ?? [];
        var isAtWork = spans is [.., { End: null }];
        var status = isAtWork ? ReportStatus.Running
            : account is not null ? Of(account.Status)
            : timeline?.Status is { } told and not ReportStatus.Cleared ? told
            : saved.Checkpoint is not null ? ReportStatus.Completed
            : timeline?.Status ?? ReportStatus.Begun;
        var counts = account is not null && !isAtWork;
        return new ReportStage
        {
            Name = account?.Name ?? timeline?.Name ?? saved.Name,
            Status = status,
            Reason = counts ? account!.Reason : status == timeline?.Status && status != ReportStatus.Failed ? timeline.Reason : null,
            Attempts = Math.Max(timeline?.Attempts ?? 0, account?.Attempts ?? 0),
            DurationSeconds = counts && account!.Attempts > 0 ? account.Duration.TotalSeconds : LastDuration(spans),
            Error = counts ? account!.Error : status == ReportStatus.Failed ? timeline?.Reason : null,
            Skips = timeline?.Skips ?? 0,
            SkippedAt = timeline?.SkippedAt,
            Spans = spans,
            Checkpoint = saved.Checkpoint,
            Items = saved.Items,
        };
    }

    private static ReportStatus Of(StageStatus status) => status switch
    {
        StageStatus.Completed => ReportStatus.Completed,
        StageStatus.Skipped => ReportStatus.Skipped,
        StageStatus.Failed => ReportStatus.Failed,
        StageStatus.NotRun => ReportStatus.NotRun,
        _ => ReportStatus.Disabled,
    };

    private static double? LastDuration(IReadOnlyList<ReportSpan> spans) =>
        spans.LastOrDefault(s => s.Kind == ReportSpanKind.Attempt) is { End: { } end } last ? (end - last.Start).TotalSeconds : null;

    private StageTimeline Stage(string name)
    {
        var key = CheckpointNames.Key(name);
        if (!_stages.TryGetValue(key, out var stage))
            _stages[key] = stage = new StageTimeline();
        return stage;
    }
}
