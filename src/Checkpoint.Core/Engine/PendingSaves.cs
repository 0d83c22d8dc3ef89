using System.Runtime.ExceptionServices;

namespace Checkpoint;

/// <summary>
/// The saves that go on behind the work: of each stage of a store one at a time, in the order in which they were asked for, of several stages side by side. A failure is
/// kept until somebody is told.
/// </summary>
internal sealed class PendingSaves
{
    private readonly Dictionary<(string Store, StageId Stage), Entry> _entries = [];
    private volatile int _count;

    /// <summary>Those of this process, of all its runspaces.</summary>
    public static PendingSaves OfProcess { get; } = new();

    /// <summary>Waits for the turn of one more save of a stage. To be disposed of; <see cref="Turn.Commit"/> prolongs it until the commit is done.</summary>
    /// <param name="store">The store's location.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="onWarning">Told, on this thread, of what went wrong with an earlier save that is done all the same.</param>
    /// <param name="cancellation">Ends the waiting; those behind wait on.</param>
    /// <exception cref="CheckpointException">An earlier save failed, and nobody was told yet.</exception>
    public Turn Enter(string store, StageId stage, Action<CheckpointException>? onWarning, CancellationToken cancellation)
    {
        Turn turn;
        Task before;
        lock (_entries)
        {
            var key = (store, stage);
            if (!_entries.TryGetValue(key, out var entry))
            {
                _entries.Add(key, entry = new Entry(key));
                _count = _entries.Count;
            }
            turn = new Turn(this, entry);
            before = entry.Last;
            entry.Last = turn.Ended;
        }
        try
        {
            before.Wait(cancellation);
            Raise(turn.Entry, onWarning);
        }
        catch
        {
            before.ContinueWith(_ => turn.Dispose(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw;
        }
        return turn;
    }

    /// <summary>Waits until the saves of a stage so far are done.</summary>
    /// <inheritdoc cref="Enter"/>
    public void Settle(string store, StageId stage, Action<CheckpointException>? onWarning, CancellationToken cancellation)
    {
        // Nearly every call of every cmdlet comes by here.
        if (_count == 0)
            return;
        Entry? entry;
        Task last;
        lock (_entries)
        {
            if (!_entries.TryGetValue((store, stage), out entry))
                return;
            last = entry.Last;
        }
        last.Wait(cancellation);
        Raise(entry, onWarning);
    }

    /// <summary>Waits until all saves so far, of the stages that are meant, are done.</summary>
    public void Wait(Func<string, StageId, bool> isMeant, CancellationToken cancellation)
    {
        Task[] last;
        lock (_entries)
            last = [.. Meant(isMeant).Select(e => e.Last)];
        Task.WaitAll(last, cancellation);
    }

    /// <summary>Takes one failure, which is so told once, of the stages that are meant; null where there is none.</summary>
    /// <param name="isMeant">The stages, by store and stage.</param>
    /// <param name="onWarning">Told of what went wrong with saves that are done all the same.</param>
    /// <param name="isLast">Whether no other failure is left there.</param>
    public Exception? TakeFailure(Func<string, StageId, bool> isMeant, Action<CheckpointException>? onWarning, out bool isLast)
    {
        Exception? failure = null;
        var warnings = new List<CheckpointException>();
        lock (_entries)
        {
            foreach (var entry in Meant(isMeant))
                warnings.AddRange(entry.TakeWarnings());
            var failed = Meant(isMeant).Where(e => e.Failure is not null).ToList();
            isLast = failed.Count <= 1;
            if (failed.Count > 0)
                failure = failed[0].TakeFailure();
            Tidy();
        }
        warnings.ForEach(w => onWarning?.Invoke(w));
        return failure;
    }

    private IEnumerable<Entry> Meant(Func<string, StageId, bool> isMeant) => _entries.Values.Where(e => isMeant(e.Key.Store, e.Key.Stage));

    private void Raise(Entry entry, Action<CheckpointException>? onWarning)
    {
        Exception? failure;
        IReadOnlyList<CheckpointException> warnings;
        lock (_entries)
        {
            failure = entry.TakeFailure();
            warnings = entry.TakeWarnings();
            Tidy(entry);
        }
        foreach (var warning in warnings)
            onWarning?.Invoke(warning);
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }

    private void End(Turn turn, Exception? failure, IReadOnlyList<CheckpointException> warnings)
    {
        lock (_entries)
        {
            var entry = turn.Entry;
            if (entry.Last == turn.Ended)
                entry.Last = Task.CompletedTask;
            entry.Failure ??= failure;
            entry.Warnings.AddRange(warnings);
            Tidy(entry);
        }
    }

    private void Tidy()
    {
        foreach (var entry in _entries.Values.ToList())
            Tidy(entry);
    }

    private void Tidy(Entry entry)
    {
        if (!entry.Last.IsCompleted || entry.Failure is not null || entry.Warnings.Count > 0)
            return;
        if (_entries.TryGetValue(entry.Key, out var current) && current == entry)
            _entries.Remove(entry.Key);
        _count = _entries.Count;
    }

    /// <summary>One save's time at its stage.</summary>
    internal sealed class Turn : IDisposable
    {
        private readonly PendingSaves _saves;
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _isCommitting;

        internal Turn(PendingSaves saves, Entry entry)
        {
            _saves = saves;
            Entry = entry;
        }

        internal Entry Entry { get; }

        internal Task Ended => _ended.Task;

        /// <summary>Runs a commit on a thread of its own, for it writes and flushes and would hold one of the pool's; the turn ends with it.</summary>
        /// <param name="commit">Given whom to tell of what goes wrong besides; returns what failed after the save was done, or null.</param>
        public void Commit(Func<Action<CheckpointException>, ValueTask<CheckpointException?>> commit)
        {
            Task.Factory.StartNew(() => Run(commit), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            _isCommitting = true;
        }

        public void Dispose()
        {
            if (!_isCommitting)
                End(null, []);
        }

        private void Run(Func<Action<CheckpointException>, ValueTask<CheckpointException?>> commit)
        {
            var warnings = new List<CheckpointException>();
            Exception? failure;
            try
            {
                failure = commit(warnings.Add).AsTask().GetAwaiter().GetResult();
            }
            catch (Exception e)
            {
                failure = e is CheckpointException known ? CheckpointErrors.LostBehind(known) : e;
            }
            End(failure, warnings);
        }

        private void End(Exception? failure, IReadOnlyList<CheckpointException> warnings)
        {
            _saves.End(this, failure, warnings);
            _ended.TrySetResult();
        }
    }

    /// <summary>A stage of which a save goes on, or of whose save somebody is still to be told.</summary>
    internal sealed class Entry((string Store, StageId Stage) key)
    {
        public (string Store, StageId Stage) Key => key;

        /// <summary>Done when the last save that was asked for is.</summary>
        public Task Last { get; set; } = Task.CompletedTask;

        public Exception? Failure { get; set; }

        public List<CheckpointException> Warnings { get; } = [];

        public Exception? TakeFailure()
        {
            var failure = Failure;
            Failure = null;
            return failure;
        }

        public IReadOnlyList<CheckpointException> TakeWarnings()
        {
            CheckpointException[] warnings = [.. Warnings];
            Warnings.Clear();
            return warnings;
        }
    }
}
