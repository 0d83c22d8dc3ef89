using System.Collections.Concurrent;
using System.Globalization;

namespace Checkpoint;

/// <summary>What a replica is to get behind the work, in the order in which the store got it. Where the replica is away it is tried again, until it is back or the process ends.</summary>
internal sealed class ReplicaQueue
{
    // Steps are some words each; a job that goes on for long without its replica must not take all memory.
    private const int MaxWaiting = 100_000;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromSeconds(30);

    private static readonly ConcurrentDictionary<(string Store, string Replica), ReplicaQueue> OfProcess = new();

    private readonly string _store;
    private readonly string _replica;
    private readonly TimeProvider _time;
    private readonly object _gate = new();
    private readonly Queue<Func<ValueTask>> _changes = new();
    private TaskCompletionSource _end = new();
    private bool _isWorking;
    private bool _isAway;
    private long _done;
    private long _missed;
    private string? _news;

    public ReplicaQueue(string store, string replica, TimeProvider time) => (_store, _replica, _time) = (store, replica, time);

    /// <summary>The queue of this process for a store and its replica.</summary>
    public static ReplicaQueue Of(CheckpointStore store, CheckpointStore replica) => OfProcess.GetOrAdd((store.Location, replica.Location), static key => new ReplicaQueue(key.Store, key.Replica, TimeProvider.System));

    /// <summary>Has all replicas of this process get what they wait for, as long as something goes on.</summary>
    /// <param name="patience">For how long nothing may happen.</param>
    /// <returns>What somebody should be told.</returns>
    public static IReadOnlyList<string> FinishAll(TimeSpan patience) => [.. OfProcess.Values.Select(queue => queue.Finish(patience)).OfType<string>()];

    /// <summary>Adds a change, which is made on another thread. It must bear to be made twice.</summary>
    public void Add(Func<ValueTask> change)
    {
        lock (_gate)
        {
            if (_changes.Count >= MaxWaiting)
            {
                Miss(1, "too many changes wait for it");
                return;
            }
            _changes.Enqueue(change);
            if (_isWorking)
                return;
            _isWorking = true;
        }
        Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>To be called while a change goes on: it is waited for.</summary>
    public void Tick()
    {
        lock (_gate)
        {
            _done++;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>What somebody should be told and was not yet, or null.</summary>
    public string? TakeNews()
    {
        lock (_gate)
        {
            var news = _news;
            _news = null;
            return news;
        }
    }

    /// <summary>Waits until all is done, as long as something goes on. A replica that is away is tried once more.</summary>
    /// <inheritdoc cref="FinishAll"/>
    public string? Finish(TimeSpan patience)
    {
        lock (_gate)
        {
            _end.TrySetResult();
            for (var before = -1L; _isWorking && before != _done;)
            {
                before = _done;
                Monitor.Wait(_gate, patience);
            }
            if (_isWorking)
                Miss(_changes.Count, "it does not answer");
            _end = new TaskCompletionSource();
        }
        return TakeNews();
    }

    private void Work()
    {
        var pause = FirstPause;
        while (true)
        {
            Func<ValueTask>? change;
            Task end;
            lock (_gate)
            {
                if (!_changes.TryPeek(out change))
                {
                    _isWorking = false;
                    Monitor.PulseAll(_gate);
                    return;
                }
                end = _end.Task;
            }
            try
            {
                change().AsTask().GetAwaiter().GetResult();
                pause = FirstPause;
                Done(null);
            }
            catch (CheckpointException e) when (e.Kind == CheckpointErrorKind.StoreUnavailable)
            {
                if (!Away(e.Message, end.IsCompleted))
                    continue;
                Task.WhenAny(Task.Delay(pause, _time), end).GetAwaiter().GetResult();
                pause = pause * 2 > LongestPause ? LongestPause : pause * 2;
            }
            // Whatever it is, the store has it; and an error on this thread would end the process.
            catch (Exception e)
            {
                Done(e.Message);
            }
        }
    }

    private void Done(string? fault)
    {
        lock (_gate)
        {
            _changes.Dequeue();
            _done++;
            _isAway = false;
            if (fault is not null)
                Miss(1, fault);
            Monitor.PulseAll(_gate);
        }
    }

    // False where nothing is left to be tried again.
    private bool Away(string fault, bool isEnd)
    {
        lock (_gate)
        {
            if (isEnd)
            {
                var left = _changes.Count;
                _changes.Clear();
                Miss(left, fault);
                return false;
            }
            if (!_isAway)
                _news = CheckpointErrors.ReplicaBehind(_store, _replica, fault);
            _isAway = true;
            return true;
        }
    }

    private void Miss(long count, string fault)
    {
        _missed += count;
        _news = CheckpointErrors.ReplicaMissed(_store, _replica, _missed.ToString(CultureInfo.InvariantCulture), fault);
    }
}
