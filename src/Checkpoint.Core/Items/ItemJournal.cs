using System.Runtime.InteropServices;

namespace Checkpoint;

/// <summary>
/// Which items of a stage are done. What ended is written in groups: an entry is on disk soon after it was added, however many come and however long the next takes, and
/// a loss costs at most what was added in that time.
/// </summary>
/// <remarks>Of several who write it together, each reads on when it wants to know what the others did. Only to add, give back, flush and ask how much that was may be called from several threads.</remarks>
internal sealed class ItemJournal : IDisposable
{
    /// <summary>
    /// How long an entry waits for others at most. A quarter of the 200 ms that are promised: the rest is for a slow disk, and for a timer that comes late on a busy machine.
    /// </summary>
    public static readonly TimeSpan Window = TimeSpan.FromMilliseconds(50);

    // Outputs are held in memory until they are written.
    private const int MaxPending = 4096;

    // The low bits of what is known of an item; above them is the place of its output, counted from 1.
    private const long IsDone = 1, HasFailed = 2, IsSeen = 4, IsNew = 8;
    private const int PlaceShift = 4;

    private readonly ItemLog _log;
    private readonly Lease? _worker;
    private readonly ItemClaims _claims = new();
    private readonly TimeProvider _time;
    private readonly Action? _onDurable;
    private readonly Action? _guard;
    private readonly Dictionary<ItemId, long> _known;
    private readonly object _gate = new();
    private readonly object _writing = new();
    private readonly ITimer _timer;
    private readonly bool _isReadOn;
    private readonly CancellationToken _stopped;
    private List<ItemEntry> _pending = [];
    private CheckpointException? _fault;
    private long _added;
    private long _durable;
    private long _done;
    private long _lastWrite;
    private bool _isTimed;
    private bool _isClosed;
    private bool _isGivenUp;

    /// <param name="log">The journal in its store; closed with this.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onDurable">Told on any thread that <see cref="Durable"/> has grown, or that writing failed.</param>
    /// <param name="cancellation">Ends the reading of what is there; and later says that the work was stopped: what is left is written in a moment, or not at all.</param>
    /// <param name="guard">Called on any thread before and after each write; throws where it must not be made any more, or no longer counts.</param>
    /// <param name="worker">The lease of one who writes it together with others; null for one writer alone.</param>
    public ItemJournal(ItemLog log, TimeProvider time, Action? onDurable, CancellationToken cancellation, Action? guard = null, Lease? worker = null)
    {
        _log = log;
        _guard = guard;
        _worker = worker;
        _stopped = cancellation;
        _time = time;
        _onDurable = onDurable;
        _known = new Dictionary<ItemId, long>(log.Estimate);
        _lastWrite = time.GetTimestamp() - time.TimestampFrequency;
        Damaged = log.ReadAll(Remember, _claims.Add, cancellation);
        _isReadOn = true;
        _timer = time.CreateTimer(_ => TryWrite(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How many entries were there and could not be read: those items are run again.</summary>
    public int Damaged { get; }

    /// <summary>How many outputs were opened that are not encrypted.</summary>
    public long PlainOutputs { get; private set; }

    /// <summary>How many entries were added.</summary>
    public long Added => Interlocked.Read(ref _added);

    /// <summary>How many of these are on disk.</summary>
    public long Durable => Interlocked.Read(ref _durable);

    /// <summary>How many of these say that an item is done.</summary>
    public long Done => Interlocked.Read(ref _done);

    /// <summary>Says what is to be done with the next item of the input, and remembers that it came.</summary>
    /// <param name="id">The item.</param>
    /// <param name="retryFailed">Whether what failed before is run again.</param>
    public ItemDecision Decide(ItemId id, bool retryFailed)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_known, id, out _);
        if ((known & IsSeen) != 0)
            return ItemDecision.Doubled;
        known |= IsSeen;
        return Judge(known, retryFailed);
    }

    /// <summary>The same of an item that came before. What failed with another since this journal was opened is not run again.</summary>
    public ItemDecision Look(ItemId id, bool retryFailed) => Judge(_known.GetValueOrDefault(id), retryFailed);

    /// <summary>Has an item not count as done: its output is lost.</summary>
    public void Forget(ItemId id) => _known[id] = IsSeen;

    /// <summary>Those other than this one who have items in their hands.</summary>
    public IEnumerable<int> OtherWorkers => _claims.Workers.Where(worker => worker != _worker?.Name.Worker);

    /// <summary>Whether an item is in the hands of one of them.</summary>
    public bool IsWithOther(ItemId id) => _claims.HolderOf(id) is not null && !IsMine(id);

    /// <summary>Whether an item is this one's to do.</summary>
    public bool IsMine(ItemId id) => _worker is not null && _claims.IsOf(_worker, id);

    /// <summary>Reads what the others have written.</summary>
    public void ReadOn(CancellationToken cancellation) => _log.ReadAll(Remember, _claims.Add, cancellation);

    /// <summary>Waits until the others may have written something.</summary>
    public void WaitForChange(TimeSpan atMost, CancellationToken cancellation) => _log.WaitForChange(atMost, cancellation);

    /// <summary>Says that this one is there, or that it was found that another is no more.</summary>
    /// <param name="worker">The lease of its number: what was claimed under an earlier one is free from then on.</param>
    public void Join(Lease worker) => Append(token => _log.Append(Line(worker), token));

    /// <summary>Claims items, and reads on: then it is known of each whose it is.</summary>
    public void Claim(IReadOnlyList<ItemId> ids, CancellationToken cancellation)
    {
        Append(token => _log.Append(Line(_worker!) with { Claimed = ids }, token));
        ReadOn(cancellation);
    }

    /// <summary>Leaves items that were claimed, and not begun, to others.</summary>
    public void GiveBack(IReadOnlyList<ItemId> ids) => Append(token => _log.Append(Line(_worker!) with { Released = ids }, token));

    /// <summary>Opens what a done item gave; null where that was not kept.</summary>
    /// <exception cref="InvalidDataException">It is no longer what was kept.</exception>
    public StateReader? OpenOutput(ItemId id)
    {
        var place = (_known.GetValueOrDefault(id) >> PlaceShift) - 1;
        if (place < 0)
            return null;
        var output = _log.ReadOutput(place, _stopped);
        PlainOutputs += output.Encryption is null ? 1 : 0;
        return _log.OpenOutput(id, output, _stopped);
    }

    /// <summary>Keeps an item's output, for its entry.</summary>
    public ItemOutput Keep(ItemId id, IStateSource output, CancellationToken cancellation) =>
        Repetition.RunAsync(output, token => new ValueTask<ItemOutput>(_log.WriteOutput(id, output, token)), cancellation).AsTask().GetAwaiter().GetResult();

    /// <summary>Adds an entry. It is on disk when <see cref="Durable"/> has reached what this returns.</summary>
    /// <exception cref="CheckpointException">The journal cannot be written.</exception>
    public long Add(ItemEntry entry)
    {
        bool isDue;
        long number;
        lock (_gate)
        {
            if (_fault is not null)
                throw _fault;
            ObjectDisposedException.ThrowIf(_isClosed, this);
            _pending.Add(entry);
            number = ++_added;
            // One that comes alone is not kept waiting, nor does it cost much.
            isDue = _pending.Count >= MaxPending || (!_isTimed && _time.GetElapsedTime(_lastWrite) >= Window);
            if (!isDue && !_isTimed)
            {
                _isTimed = true;
                _timer.Change(Window, Timeout.InfiniteTimeSpan);
            }
        }
        if (isDue)
            Flush();
        return number;
    }

    /// <summary>Has everything that was added on disk when it returns.</summary>
    /// <exception cref="CheckpointException">The journal cannot be written.</exception>
    public void Flush()
    {
        lock (_writing)
        {
            List<ItemEntry> group;
            lock (_gate)
            {
                if (_fault is not null)
                    throw _fault;
                group = _pending;
                _pending = [];
                _isTimed = false;
            }
            if (group.Count == 0)
                return;
            Append(token => _log.Append(group, token));
            lock (_gate)
            {
                _durable += group.Count;
                _done += group.Count(e => e.Error is null);
                _lastWrite = _time.GetTimestamp();
            }
        }
        _onDurable?.Invoke();
    }

    /// <summary>Throws where the journal could not be written since.</summary>
    public void ThrowIfFaulted()
    {
        lock (_gate)
        {
            if (_fault is not null)
                throw _fault;
        }
    }

    /// <summary>Writes what is left and ends. Whatever comes later, from work that could not be stopped, is refused.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isClosed)
                return;
            _isClosed = true;
        }
        TryWrite();
        _timer.Dispose();
        lock (_writing)
            _log.Dispose();
    }

    private static ItemDecision Judge(long known, bool retryFailed) =>
        (known & IsDone) != 0 ? ItemDecision.Done : (known & HasFailed) != 0 && !(retryFailed && (known & IsNew) == 0) ? ItemDecision.Failed : ItemDecision.Run;

    private void Remember(ItemMark mark)
    {
        // The latest counts: a failed one may be done later, and may fail again.
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_known, mark.Id, out _);
        known = (known & IsSeen) | (mark.IsDone ? IsDone : HasFailed) | (_isReadOn ? IsNew : 0) | ((mark.Place + 1) << PlaceShift);
        _claims.End(mark.Id);
    }

    private WorkerLine Line(Lease worker) => new(worker.Name.Worker!.Value, worker.Token, _time.GetUtcNow());

    private void Append(Action<CancellationToken> append)
    {
        lock (_writing)
        {
            ThrowIfFaulted();
            // What a store did not answer to whoever stopped the work it is not asked again.
            if (_isGivenUp)
                throw new OperationCanceledException(_stopped);
            try
            {
                _guard?.Invoke();
                using var end = new CancellationTokenSource();
                using (LastWords.End(end, _stopped))
                    append(end.Token);
                // Whose time was over in between wrote into what may have been cleared.
                _guard?.Invoke();
            }
            catch (CheckpointException e)
            {
                lock (_gate)
                    _fault = e;
                _onDurable?.Invoke();
                throw;
            }
            catch (OperationCanceledException)
            {
                _isGivenUp = true;
                throw;
            }
        }
    }

    // On the timer's thread nobody could catch what it throws; the next who adds or flushes is told.
    private void TryWrite()
    {
        try
        {
            Flush();
        }
        catch (Exception e) when (e is CheckpointException or OperationCanceledException)
        {
        }
    }
}
