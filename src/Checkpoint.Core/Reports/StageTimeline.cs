namespace Checkpoint;

/// <summary>What a history tells of one stage in one run.</summary>
internal sealed class StageTimeline
{
    private readonly List<ReportSpan> _spans = [];
    private DateTimeOffset? _open;
    private DateTimeOffset _last;

    /// <summary>Its name, as it was written last.</summary>
    public string Name { get; private set; } = "";

    /// <summary>The events of it that count, in words: what it came to last; null where nothing did.</summary>
    public ReportStatus? Status { get; private set; }

    /// <summary>Why it came to that.</summary>
    public string? Reason { get; private set; }

    /// <summary>When something was told of it first.</summary>
    public DateTimeOffset First { get; private set; } = DateTimeOffset.MaxValue;

    public int Attempts => _spans.Count(s => s.Kind == ReportSpanKind.Attempt) + (_open is null ? 0 : 1);

    /// <summary>Whether it began, and nothing tells of its end.</summary>
    public bool IsOpen => _open is not null;

    /// <summary>When something was told of it last.</summary>
    public DateTimeOffset LastAt => _last;

    public int Skips { get; private set; }

    public DateTimeOffset? SkippedAt { get; private set; }

    /// <summary>The spans, with the one that goes on.</summary>
    public IReadOnlyList<ReportSpan> Spans => _open is { } start ? [.. _spans, new ReportSpan(ReportSpanKind.Attempt, start, null)] : _spans;

    /// <summary>Takes in an event that names the stage.</summary>
    public void Add(CheckpointEvent e)
    {
        Name = e.Name!;
        First = First < e.Time ? First : e.Time;
        switch (e.Event)
        {
            case CheckpointEvents.StageStarted:
                // Its process died without a word.
                Close(_last, ReportOutcome.Interrupted);
                _open = e.Time;
                Set(ReportStatus.Begun, e.Reason);
                break;
            case CheckpointEvents.StageRetried:
                Close(e.Time, ReportOutcome.Failed);
                if (e.Until is { } until && until > e.Time)
                    _spans.Add(new ReportSpan(ReportSpanKind.Wait, e.Time, until));
                _open = e.Until ?? e.Time;
                break;
            case CheckpointEvents.StageCompleted:
                Close(e.Time, ReportOutcome.Completed);
                Set(ReportStatus.Completed, null);
                break;
            case CheckpointEvents.StageFailed:
                Close(e.Time, ReportOutcome.Failed);
                Set(ReportStatus.Failed, e.Reason);
                break;
            // A step: the saved result held. Without one it did not come to it, and the runner's account says why.
            case CheckpointEvents.StageSkipped when e.Step is not null:
                (Skips, SkippedAt) = (Skips + 1, e.Time);
                break;
            case CheckpointEvents.Saved when _open is null:
                _spans.Add(new ReportSpan(ReportSpanKind.Save, e.Time, e.Time));
                Set(ReportStatus.Completed, null);
                break;
            case CheckpointEvents.Cleared:
                Set(ReportStatus.Cleared, e.Reason);
                break;
        }
        _last = e.Time;
    }

    /// <summary>Takes in that the run came to its end, or was begun anew: nobody is at work on the stage then.</summary>
    public void RunEnded(DateTimeOffset at)
    {
        if (_open is null)
            return;
        Close(at, ReportOutcome.Interrupted);
        Set(ReportStatus.Interrupted, null);
    }

    private void Set(ReportStatus status, string? reason) => (Status, Reason) = (status, reason);

    private void Close(DateTimeOffset at, ReportOutcome outcome)
    {
        if (_open is not { } start)
            return;
        _open = null;
        // A next attempt that is announced may begin a moment early, by the clock of the wall, and ends where it was stopped while it waited.
        var isEarly = at < start;
        if (isEarly && _spans is [.., { Kind: ReportSpanKind.Wait } wait])
            _spans[^1] = wait with { End = at > wait.Start ? at : wait.Start };
        if (!isEarly || outcome != ReportOutcome.Interrupted)
            _spans.Add(new ReportSpan(ReportSpanKind.Attempt, isEarly ? at : start, at, outcome));
    }
}
