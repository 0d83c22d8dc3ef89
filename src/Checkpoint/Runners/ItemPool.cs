using System.Collections.Concurrent;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>
/// Runs a block for several items at once, each in a runspace of its own that is used again, as <c>ForEach-Object -Parallel</c> does. What the blocks write is told on the pipeline's
/// thread, in the order in which it came.
/// </summary>
internal sealed class ItemPool : IDisposable
{
    // A block that does not end when it is stopped, such as one that sleeps in .NET, is left behind.
    private static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly BlockingCollection<ItemTask> _tasks = [];
    private readonly BlockingCollection<Action> _events = [];
    private readonly List<ItemWorker> _workers = [];
    private readonly UsingVariables _block;
    private readonly int _throttle;
    private readonly ActionPreference _errors;
    private readonly ContextSettings _context;
    private readonly PSCmdlet _command;
    private readonly ItemRun _run;
    private readonly bool _savesOutput;
    private readonly bool _streams;
    private readonly Action<ErrorRecord, string> _onError;
    private readonly Action<ItemId, string, object?[], long, Exception?> _ended;
    private readonly CancellationToken _cancellation;
    private readonly CancellationTokenRegistration _stopping;
    private readonly string _location;
    private int _active;

    public ItemPool(UsingVariables block, int throttle, ActionPreference errors, ContextSettings context, PSCmdlet command, ItemRun run, bool savesOutput, Action<ErrorRecord, string> onError, Action<ItemId, string, object?[], long, Exception?> ended, CancellationToken cancellation)
    {
        (_block, _throttle, _errors, _context, _command, _run, _savesOutput, _onError, _ended, _cancellation) = (block, throttle, errors, context, command, run, savesOutput, onError, ended, cancellation);
        // What a failed attempt gave is not wanted when another follows.
        _streams = run.Work.Retry.Retry == 0;
        // A drive of the caller's own is not there in another session, but the folder is.
        var location = command.SessionState.Path.CurrentLocation;
        _location = location.Provider.Name == "FileSystem" ? location.ProviderPath : location.Path;
        _stopping = cancellation.Register(StopWorkers);
    }

    /// <summary>Wakes whoever waits here for what ends; on any thread.</summary>
    public void Wake() => _events.Add(static () => { });

    /// <summary>Gives an item to a runspace that is free, and waits for one.</summary>
    /// <param name="item">The item.</param>
    /// <param name="id">Its id.</param>
    /// <param name="key">Its key.</param>
    /// <param name="onTurn">Called now and then while it waits.</param>
    public void Add(object? item, ItemId id, string key, Action onTurn)
    {
        while (_active >= _throttle)
            Turn(onTurn);
        if (_run.IsStopped)
            return;
        _active++;
        lock (_workers)
        {
            if (_workers.Count < _active)
                _workers.Add(new ItemWorker(_tasks, _block, _errors, _context, _location, _command.SessionState.LanguageMode, Run, _cancellation));
        }
        _tasks.Add(new ItemTask(item, id, key));
    }

    /// <summary>Tells what has come, and does not wait.</summary>
    public void Pump()
    {
        while (_events.TryTake(out var told))
            told();
    }

    /// <summary>Waits until something ended, and no longer than that.</summary>
    public void Wait(TimeSpan atMost, Action onTurn) => Turn(onTurn, atMost);

    /// <summary>Waits until all that was begun has ended.</summary>
    public void Drain(Action onTurn)
    {
        while (_active > 0)
            Turn(onTurn);
        Pump();
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _tasks.CompleteAdding();
        StopWorkers();
        lock (_workers)
        {
            foreach (var worker in _workers)
                worker.Stop();
            var until = Environment.TickCount64 + (long)Farewell.TotalMilliseconds;
            foreach (var worker in _workers)
                worker.Join((int)Math.Max(0, until - Environment.TickCount64));
        }
    }

    private void Turn(Action onTurn, TimeSpan? atMost = null)
    {
        if (_events.TryTake(out var told, (int)(atMost ?? Tick).TotalMilliseconds, _cancellation))
            told();
        Pump();
        onTurn();
        _run.Journal.ThrowIfFaulted();
    }

    private void StopWorkers()
    {
        lock (_workers)
        {
            foreach (var worker in _workers)
                worker.Stop();
        }
    }

    // On the worker's thread: the item is in the journal as soon as it is done, whatever the pipeline's thread waits for.
    private void Run(ItemWorker worker, ItemTask task)
    {
        var all = new List<object?>();
        var number = 0L;
        Exception? error;
        try
        {
            error = _run.Attempt(
                _ =>
                {
                    all.Clear();
                    worker.Invoke(task.Item, value => Take(task, all, value), record => Tell(task, record));
                },
                (e, attempt, pause) => _events.Add(() => _command.Warn(StageMessages.Retry(_run, task.Key, e, attempt, pause))),
                _cancellation);
            error ??= _run.TryDone(task.Id, task.Key, _savesOutput ? new ObjectState(all.ToArray(), isSequence: true) : null, out number, _cancellation);
        }
        catch (Exception) when (_cancellation.IsCancellationRequested || _tasks.IsAddingCompleted)
        {
            // Nobody waits for it any more.
            return;
        }
        catch (CheckpointException e)
        {
            // The journal: whoever waits is told by it.
            error = e;
        }
        _events.Add(() =>
        {
            _active--;
            object?[] last = task.Held is { } held ? [held.Value] : [];
            if (error is not null && _streams)
                Release(task);
            _ended(task.Id, task.Key, _streams ? last : [.. all], number, error);
        });
    }

    private void Take(ItemTask task, List<object?> all, object? value)
    {
        if (!_streams || _savesOutput)
            all.Add(value);
        if (_streams)
        {
            _events.Add(() =>
            {
                Release(task);
                task.Held = new Held(value);
            });
        }
    }

    private void Tell(ItemTask task, object record) => _events.Add(() =>
    {
        Release(task);
        if (record is ErrorRecord error)
            _onError(error, task.Key);
        else
            StreamRecords.TryWrite(_command, record);
    });

    // The last thing that an item gives is held until it is on disk that the item is done: who has seen all of it need not fear that it is done again. What comes before it goes on at once.
    private void Release(ItemTask task)
    {
        if (task.Held is not { } held)
            return;
        task.Held = null;
        _command.WriteObject(held.Value);
    }
}
