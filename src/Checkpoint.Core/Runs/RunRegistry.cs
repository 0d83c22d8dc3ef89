using System.Globalization;
using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>Finds, chooses and keeps the runs of pipelines.</summary>
internal sealed class RunRegistry(CheckpointStore store, HistoryLog history, TimeProvider time)
{
    // Who waits for another process looks this often whether it is done.
    private static readonly TimeSpan WaitPause = TimeSpan.FromMilliseconds(200);

    // The right to choose is held for moments only, so it is waited for without a word; unless its holder was itself stopped in that moment.
    private static readonly TimeSpan ChoicePatience = TimeSpan.FromSeconds(10);

    /// <summary>The runs that fit, oldest first. One whose process died is interrupted, whatever its record says.</summary>
    public async IAsyncEnumerable<RunReading> FindAsync(NamePattern pipeline, NamePattern run, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var readings = new List<RunReading>();
        await foreach (var reading in store.ListRunsAsync(pipeline, run, cancellation))
            readings.Add(reading.Run is { } found ? await JudgeAsync(found, cancellation) : reading);
        foreach (var reading in readings.OrderBy(r => r.Run?.SortsAt ?? DateTimeOffset.MinValue).ThenBy(r => r.Run?.Run, StringComparer.Ordinal))
            yield return reading;
    }

    /// <summary>Chooses the run that is meant, makes it where it is a new one, and takes its lease.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="warn">Told what a person should know.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <returns>The run as it is to be executed now, its lease, and whether it was there before.</returns>
    public async ValueTask<(CheckpointRun Run, Lease Lease, RunStart Start)> OpenAsync(PipelineRequest request, Action<string> warn, CancellationToken cancellation)
    {
        string? chosen = null;
        while (true)
        {
            LeaseName lease;
            // Two that start at once must not both find that there is no run: one chooses, and has the run's lease before the other chooses.
            using (await TakeAsync(new LeaseName(request.Pipeline, null, null), request.WhenBusy, warn, cancellation))
            {
                var (run, start) = await ChooseAsync(chosen is null ? request : request with { Run = chosen }, warn, cancellation);
                lease = new LeaseName(request.Pipeline, run.Run, null);
                var attempt = await store.TryLeaseAsync(lease, Self(), cancellation);
                if (attempt.Lease is { } taken)
                {
                    try
                    {
                        if (await TryBeginAsync(run, start, cancellation))
                            return (run, taken, start);
                    }
                    catch
                    {
                        taken.Dispose();
                        throw;
                    }
                    taken.Dispose();
                    continue;
                }
                if (request.WhenBusy == BusyRun.Fail)
                    throw CheckpointErrors.LeaseHeld(lease, store.Location, attempt.Holder);
                // That very run is waited for, though it may be finished by then. All that there is to say is said once.
                if (chosen is null)
                    warn(CheckpointErrors.Waiting(lease, store.Location, attempt.Holder));
                chosen = run.Run;
                warn = static _ => { };
            }
            // Meanwhile others may choose.
            do
                await Task.Delay(WaitPause, time, cancellation);
            while (await store.FindLeaseAsync(lease, cancellation) is not null);
        }
    }

    // False where another process has gone on with the run, and ended it, since it was looked at.
    private async ValueTask<bool> TryBeginAsync(CheckpointRun run, RunStart start, CancellationToken cancellation)
    {
        if (start != RunStart.Anew && (await ReadAsync(run, cancellation)).Run is var now && (now?.EndedAt, now?.Attempts ?? 0) != (run.EndedAt, run.Attempts))
            return false;
        // Who chooses next must find it, or would start another beside it.
        if (start == RunStart.New)
            await WriteAsync(run.Begun(), cancellation);
        await history.RecordAsync(CheckpointEvents.LeaseTaken, run.Pipeline, run.Run, null, null, null, cancellation);
        return true;
    }

    /// <summary>The run that a request means, without making it.</summary>
    public async ValueTask<(CheckpointRun Run, RunStart Start)> ChooseAsync(PipelineRequest request, Action<string> warn, CancellationToken cancellation)
    {
        var known = new List<CheckpointRun>();
        var isDamaged = false;
        await foreach (var reading in FindAsync(NamePattern.Of(request.Pipeline), request.Run is { } id ? NamePattern.Of(id) : NamePattern.Any, cancellation))
        {
            if (reading.Run is { } run)
            {
                known.Add(run);
                continue;
            }
            if (reading.Fault!.Kind != CheckpointErrorKind.CheckpointDamaged)
                throw reading.Fault;
            warn(reading.Fault.Message);
            isDamaged = true;
        }
        var last = known.LastOrDefault();
        var newest = request switch
        {
            { Run: not null } or { From: not null } => last,
            { Resume: true } => known.LastOrDefault(r => !r.IsFinished),
            _ => last is { IsFinished: false } ? last : null,
        };
        if (newest is null)
        {
            if (request.Resume || request.From is not null)
                throw CheckpointErrors.RunNotFound(request.Pipeline, request.Run, store.Location);
            if (!isDamaged || request is { Run: null } or { Config: null } or { OnConfigChange: ConfigChange.Ignore })
                return (NewRun(request, last), RunStart.New);
            // What it saved may be of another configuration.
            warn($"Whether run '{request.Run}' of pipeline '{request.Pipeline}' was started with this configuration cannot be told any more, so it is started anew; -OnConfigChange Ignore goes on with what it saved.");
            return (NewRun(request, last), RunStart.Anew);
        }
        if (request.Restart)
            return Anew(newest, request, last!);
        if (!Equals(newest.Fingerprint, request.Config) && request.OnConfigChange != ConfigChange.Ignore)
        {
            var changed = Changes(newest.Fingerprint, request.Config);
            if (request.OnConfigChange == ConfigChange.Error)
                throw CheckpointErrors.ConfigChanged(newest, changed, store.Location);
            warn($"The configuration is not that with which run '{newest.Run}' of pipeline '{newest.Pipeline}' was started: {changed}. " + (request.Run is null ? "A new run is started." : "The run is started anew."));
            return Anew(newest, request, last!);
        }
        if (request.MaxAttempts is { } limit && !newest.IsFinished && newest.Attempts >= limit && !request.Resume)
            throw CheckpointErrors.RunParked(newest, store.Location);
        return (newest, RunStart.Resumed);
    }

    /// <summary>Writes down that the right to execute a run was lost, and gives the error.</summary>
    public ValueTask<CheckpointException> RecordLossAsync(CheckpointRun run, string reason, CancellationToken cancellation) =>
        history.RecordLossAsync(new LeaseName(run.Pipeline, run.Run, null), reason, cancellation);

    public ValueTask WriteAsync(CheckpointRun run, CancellationToken cancellation) => store.WriteRunAsync(run, cancellation);

    private LeaseHolder Self() => LeaseHolder.Self(time);

    private async ValueTask<IDisposable> TakeAsync(LeaseName lease, BusyRun whenBusy, Action<string> warn, CancellationToken cancellation)
    {
        for (var started = time.GetTimestamp(); ;)
        {
            var attempt = await store.TryLeaseAsync(lease, Self(), cancellation);
            if (attempt.Lease is { } taken)
                return taken;
            if (time.GetElapsedTime(started) > ChoicePatience)
            {
                if (whenBusy == BusyRun.Fail)
                    throw CheckpointErrors.LeaseHeld(lease, store.Location, attempt.Holder);
                warn(CheckpointErrors.Waiting(lease, store.Location, attempt.Holder));
                warn = static _ => { };
            }
            await Task.Delay(WaitPause, time, cancellation);
        }
    }

    private async ValueTask<RunReading> JudgeAsync(CheckpointRun run, CancellationToken cancellation)
    {
        while (run.Status == RunStatus.Running && !await IsHeldAsync(run, cancellation))
        {
            // It may have come to its end since its record was read.
            var reading = await ReadAsync(run, cancellation);
            if (reading.Run is not { } now || (now.EndedAt, now.Attempts) == (run.EndedAt, run.Attempts))
                return reading.Fault is null ? new RunReading(run with { Status = RunStatus.Interrupted, LastError = run.LastError ?? "the process ended before the run did" }, null) : reading;
            run = now;
        }
        return new RunReading(run, null);
    }

    // Where the replica told of the run, nobody can tell whether a process is at work on it: it is what its record says.
    private async ValueTask<bool> IsHeldAsync(CheckpointRun run, CancellationToken cancellation)
    {
        try
        {
            return await store.FindLeaseAsync(new LeaseName(run.Pipeline, run.Run, null), cancellation) is not null;
        }
        catch (CheckpointException e) when (e.Kind == CheckpointErrorKind.StoreUnavailable && store.Replica is not null)
        {
            return true;
        }
    }

    private async ValueTask<RunReading> ReadAsync(CheckpointRun run, CancellationToken cancellation)
    {
        await foreach (var reading in store.ListRunsAsync(NamePattern.Of(run.Pipeline), NamePattern.Of(run.Run), cancellation))
            return reading;
        return default;
    }

    // A run that was named keeps its name; what it saved is to be done again.
    private (CheckpointRun Run, RunStart Start) Anew(CheckpointRun old, PipelineRequest request, CheckpointRun last) =>
        request.Run is null ? (NewRun(request, last), RunStart.New) : (NewRun(request, last) with { Run = old.Run }, RunStart.Anew);

    private CheckpointRun NewRun(PipelineRequest request, CheckpointRun? last)
    {
        var now = time.GetUtcNow();
        return new CheckpointRun
        {
            Store = store.Location,
            Pipeline = request.Pipeline,
            Run = request.Run ?? NewId(),
            Status = RunStatus.Running,
            StartedAt = now,
            // Behind the last one, also where the clock was set back: else that one would stay the newest for as long.
            SortsAt = last is not null && last.SortsAt >= now ? last.SortsAt + TimeSpan.FromTicks(1) : now,
            Fingerprint = request.Config,
        };
    }

    // Sorts by time, reads as a time, and two of one second differ.
    private string NewId() => time.GetUtcNow().ToString("yyyyMMdd-HHmmss-", CultureInfo.InvariantCulture) + RandomNumberGenerator.GetHexString(6, lowercase: true);

    private static string Changes(CheckpointFingerprint? saved, CheckpointFingerprint? current) =>
        saved is null ? "it was started without one" : current is null ? "none is given now" : string.Join(", ", saved.CompareTo(current).Select(c => c.Part));
}
