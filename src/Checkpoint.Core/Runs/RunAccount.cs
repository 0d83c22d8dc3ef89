namespace Checkpoint;

/// <summary>Keeps the record of a run while it is executed.</summary>
/// <param name="runs">Where it is kept.</param>
/// <param name="lease">The right to execute it: without it the record is another's.</param>
/// <param name="opened">The run as it was before this execution.</param>
/// <param name="progress">How far this execution has come.</param>
/// <param name="time">The clock.</param>
internal sealed class RunAccount(RunRegistry runs, Lease lease, CheckpointRun opened, RunProgress progress, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private CheckpointRun _run = opened.Begun();

    // How many stages the record tells of, or -1 where it is not written yet.
    private int _written = -1;
    private bool _isLost;

    public CheckpointRun Run => _run;

    /// <summary>How long this execution has taken.</summary>
    public TimeSpan Elapsed => time.GetElapsedTime(_started);

    /// <summary>Writes down how far it has come.</summary>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.LeaseLost"/>, or an error of the store.</exception>
    public ValueTask WriteAsync(CancellationToken cancellation)
    {
        var run = _run with { Stages = Stages() };
        _written = run.Stages.Count;
        return WriteAsync(run, cancellation);
    }

    /// <summary>Sees that the record says that somebody is at work, and what was done before; called before any work is.</summary>
    public ValueTask BeginAsync(CancellationToken cancellation) => _written == progress.Results.Count ? default : WriteAsync(cancellation);

    /// <summary>Writes down how it ended; a finished run that had nothing left to do keeps its record as it is.</summary>
    public ValueTask EndAsync(RunStatus status, string? error, CancellationToken cancellation)
    {
        if (_isLost)
            return default;
        if (_written < 0 && opened.IsFinished && status == RunStatus.Completed)
        {
            _run = opened;
            return default;
        }
        _run = _run with { Status = status, EndedAt = time.GetUtcNow(), Stages = Stages(), LastError = error ?? (status == RunStatus.Completed ? null : opened.LastError) };
        return WriteAsync(_run, cancellation);
    }

    private async ValueTask WriteAsync(CheckpointRun run, CancellationToken cancellation)
    {
        if (await lease.WhyLostAsync(cancellation) is { } reason)
        {
            _isLost = true;
            throw await runs.RecordLossAsync(run, reason, cancellation);
        }
        await runs.WriteAsync(run, cancellation);
    }

    // What was done in an earlier execution stays told as it was then.
    private System.Collections.ObjectModel.ReadOnlyCollection<StageResult> Stages() =>
        progress.Results.Select(now => now.Status == StageStatus.Skipped ? Earlier(now.Name) ?? now : now).ToList().AsReadOnly();

    private StageResult? Earlier(string name) =>
        opened.Stages.FirstOrDefault(s => s.Status is StageStatus.Completed or StageStatus.Skipped && CheckpointNames.Key(s.Name) == CheckpointNames.Key(name));
}
