namespace Checkpoint.Stores.PostgreSql;

/// <summary>A key that somebody waits for, or did a moment ago.</summary>
internal sealed class WatchedKey
{
    private readonly object _gate = new();
    private TaskCompletionSource? _signal;
    private bool _isChanged;
    private volatile bool _isWatched;
    private long _used;

    /// <summary>Whether the server knows of it.</summary>
    public bool IsWatched
    {
        get => _isWatched;
        set => _isWatched = value;
    }

    /// <summary>The timestamp at which it was waited for.</summary>
    public long Used
    {
        get => Interlocked.Read(ref _used);
        set => Interlocked.Exchange(ref _used, value);
    }

    public bool IsAwaited
    {
        get
        {
            lock (_gate)
                return _signal is not null;
        }
    }

    /// <summary>What ends at the next change; null where there was one that nobody was told of yet.</summary>
    public Task? Take()
    {
        lock (_gate)
        {
            if (_isChanged)
            {
                _isChanged = false;
                return null;
            }
            return (_signal ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    public void Tell()
    {
        lock (_gate)
        {
            // Who waits is told now; else the next one is.
            _isChanged = _signal is null;
            _signal?.TrySetResult();
            _signal = null;
        }
    }
}
