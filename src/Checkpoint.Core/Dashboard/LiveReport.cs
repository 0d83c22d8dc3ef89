using System.Threading.Channels;

namespace Checkpoint;

/// <summary>A report that is kept up to date, and tells who listens what changed.</summary>
/// <param name="read">Reads the report anew: given the report as it was, only what may have changed; given null, all.</param>
/// <param name="time">The clock.</param>
internal sealed class LiveReport(Func<CheckpointReport?, CancellationToken, ValueTask<CheckpointReport>> read, TimeProvider time) : IDisposable
{
    // What is written becomes visible within this; where reading takes long, it takes no more than a fifth of the time.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private const int Share = 4;

    // After this, or after ten times as long as it takes where that is longer, all is read: what the history does not tell of shows then.
    private static readonly TimeSpan WholePause = TimeSpan.FromSeconds(10);
    private const int WholeShare = 10;

    // Who does not take what is sent is sent no more, and asks for all when it comes again.
    private const int MaxUnsent = 64;

    private readonly object _gate = new();
    private readonly List<Channel<DashboardNews>> _listeners = [];
    private readonly SemaphoreSlim _reading = new(1, 1);
    private CheckpointReport? _report;
    private Dictionary<RunName, byte[]> _runs = [];
    private long _version;
    private long _wholeAt;
    private TimeSpan _wholePause;

    /// <summary>The report as it is now, and its version.</summary>
    public async ValueTask<(CheckpointReport Report, long Version)> ReadAsync(CancellationToken cancellation)
    {
        await RefreshAsync(cancellation);
        lock (_gate)
            return (_report!, _version);
    }

    /// <summary>Begins to tell what comes from now on, and first all there is where the listener does not know the newest version.</summary>
    public async ValueTask<LiveListener> ListenAsync(long known, CancellationToken cancellation)
    {
        await RefreshAsync(cancellation);
        var channel = Channel.CreateBounded<DashboardNews>(MaxUnsent);
        lock (_gate)
        {
            _listeners.Add(channel);
            if (known != _version)
                channel.Writer.TryWrite(Whole());
        }
        return new LiveListener(channel.Reader, () =>
        {
            lock (_gate)
                _listeners.Remove(channel);
        });
    }

    /// <summary>Keeps it up to date while somebody listens.</summary>
    public async Task FollowAsync(CancellationToken cancellation)
    {
        var pause = Pause;
        while (true)
        {
            await Task.Delay(pause, time, cancellation);
            lock (_gate)
            {
                if (_listeners.Count == 0)
                    continue;
            }
            var started = time.GetTimestamp();
            await RefreshAsync(cancellation);
            var took = time.GetElapsedTime(started) * Share;
            pause = took > Pause ? took : Pause;
        }
    }

    public void Dispose() => _reading.Dispose();

    private async ValueTask RefreshAsync(CancellationToken cancellation)
    {
        await _reading.WaitAsync(cancellation);
        try
        {
            CheckpointReport report;
            try
            {
                report = await ReadReportAsync(cancellation);
            }
            catch (CheckpointException e)
            {
                // A store that cannot be reached now may be so in a moment; what was known of it stays.
                _wholePause = TimeSpan.Zero;
                report = (_report ?? new CheckpointReport { GeneratedAt = time.GetUtcNow(), Store = "", Runs = [], History = [], Problems = [] }) with { Problems = [e.Message] };
            }
            Take(report);
        }
        finally
        {
            _reading.Release();
        }
    }

    private async ValueTask<CheckpointReport> ReadReportAsync(CancellationToken cancellation)
    {
        if (_report is not null && time.GetElapsedTime(_wholeAt) < _wholePause)
            return await read(_report, cancellation);
        var started = time.GetTimestamp();
        var report = await read(null, cancellation);
        _wholeAt = time.GetTimestamp();
        var took = time.GetElapsedTime(started, _wholeAt) * WholeShare;
        _wholePause = took > WholePause ? took : WholePause;
        return report;
    }

    private void Take(CheckpointReport report)
    {
        // Those that were not read anew are the same objects.
        var kept = new HashSet<ReportRun>(_report?.Runs ?? [], ReferenceEqualityComparer.Instance);
        var runs = report.Runs.ToDictionary(Name, run => kept.Contains(run) ? _runs[Name(run)] : ReportJson.Serialize(run));
        lock (_gate)
        {
            if (_report is not { } before)
            {
                (_report, _runs, _version) = (report, runs, 1);
                return;
            }
            var changed = report.Runs.Where(run => !_runs.TryGetValue(Name(run), out var known) || !known.AsSpan().SequenceEqual(runs[Name(run)])).ToList();
            var gone = _runs.Keys.Where(name => !runs.ContainsKey(name)).ToList();
            var lines = ReportBuilder.NewLines(before.AsWritten, report.AsWritten);
            var isSame = changed.Count == 0 && gone.Count == 0 && lines is { Count: 0 } && report.Problems.SequenceEqual(before.Problems);
            (_report, _runs) = (report, runs);
            if (isSame)
                return;
            _version++;
            var news = lines is null ? Whole() : new DashboardNews { Version = _version, GeneratedAt = report.GeneratedAt, Runs = changed, Gone = gone, History = lines, Problems = report.Problems };
            foreach (var listener in _listeners)
            {
                if (!listener.Writer.TryWrite(news))
                    listener.Writer.TryComplete();
            }
        }
    }

    private DashboardNews Whole() => new() { Version = _version, GeneratedAt = _report!.GeneratedAt, IsWhole = true, Store = _report.Store, Runs = _report.Runs, History = _report.History, Problems = _report.Problems };

    private static RunName Name(ReportRun run) => new(run.Pipeline, run.Run);
}
