namespace Checkpoint;

/// <summary>Follows a run: gives it as it is, again and again, until it ends.</summary>
/// <param name="builder">Reads it.</param>
/// <param name="time">The clock.</param>
internal sealed class RunWatch(ReportBuilder builder, TimeProvider time)
{
    // Where reading takes long, it takes no more than a fifth of the time.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private const int Share = 4;

    /// <summary>The run that is meant, or, of several, the newest; and of the history what came since it was given before. No run where there is none yet, or where the store is away for the moment.</summary>
    public async IAsyncEnumerable<(ReportRun? Run, IReadOnlyList<ReportEvent> News, CheckpointException? Fault)> FollowAsync(ReportScope scope, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        RunName? followed = null;
        var told = 0;
        CheckpointReport? report = null;
        while (true)
        {
            var started = time.GetTimestamp();
            CheckpointException? fault = null;
            try
            {
                report = await builder.BuildAsync(scope, report, cancellation);
            }
            catch (CheckpointException e) when (followed is not null && e.Kind == CheckpointErrorKind.StoreUnavailable)
            {
                fault = e;
            }
            if (fault is not null)
            {
                // A store that is away for a moment ends nothing.
                yield return (null, [], fault);
                await Task.Delay(Pause, time, cancellation);
                continue;
            }
            // Once one is followed another that begins beside it is not.
            var run = followed is null ? Newest(report!.Runs) : report!.Runs.FirstOrDefault(r => new RunName(r.Pipeline, r.Run) == followed);
            if (run is null)
            {
                yield return (null, [], null);
            }
            else
            {
                followed = new RunName(run.Pipeline, run.Run);
                var lines = report!.AsWritten.Where(e => IsOf(e, run)).ToList();
                yield return (run, lines.Skip(told).ToList(), null);
                told = lines.Count;
                if (run.Status is not (null or RunStatus.Running))
                    yield break;
            }
            var took = time.GetElapsedTime(started) * Share;
            await Task.Delay(took > Pause ? took : Pause, time, cancellation);
        }
    }

    // One at work before one that ended, and that before what was saved without a runner, of which nothing tells the end.
    private static ReportRun? Newest(IReadOnlyList<ReportRun> runs) => runs.FirstOrDefault(r => r.Status == RunStatus.Running) ?? runs.FirstOrDefault(r => r.Status is not null) ?? (runs.Count > 0 ? runs[0] : null);

    private static bool IsOf(ReportEvent e, ReportRun run) =>
        CheckpointNames.Key(e.Pipeline) == CheckpointNames.Key(run.Pipeline) && (e.Run is null ? run.Run is null : run.Run is not null && CheckpointNames.Key(e.Run) == CheckpointNames.Key(run.Run));
}
