namespace Checkpoint;

/// <summary>
/// One's part of a list that several work on together. Items are claimed in portions of as many as are done in a quarter of a second, so that short ones cost little, and nobody has many in its hands that
/// others could do.
/// </summary>
/// <remarks>Called by one thread.</remarks>
internal sealed class ItemShare : IDisposable
{
    private const int Most = 500;
    private const int Growth = 4;

    private static readonly TimeSpan Portion = TimeSpan.FromMilliseconds(250);

    // Who gets items more seldom than that is not to have them wait for others.
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(100);

    // What was not begun for so long, for one before takes longer than those did by which the portion was measured, others may do.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ItemJournal _journal;
    private readonly int _least;
    private readonly bool _retryFailed;
    private readonly TimeProvider _time;
    private readonly object _gate = new();
    private readonly ITimer _timer;
    private readonly Queue<(ItemDecision Decision, SharedItem Item)> _ended = new();
    private readonly Queue<SharedItem> _mine = new();
    private readonly List<SharedItem> _givenBack = [];
    private List<SharedItem> _fresh = [];
    private List<SharedItem> _others = [];
    private int _portion;
    private int _granted;
    private int _sortAt = 1000;
    private long _claimed;
    private long _begun;
    private long _left;
    private bool _isLate;
    private bool _isAll;

    /// <param name="journal">The journal.</param>
    /// <param name="least">How many are done at once.</param>
    /// <param name="retryFailed">Whether what failed before is run again.</param>
    /// <param name="time">The clock.</param>
    public ItemShare(ItemJournal journal, int least, bool retryFailed, TimeProvider time)
    {
        (_journal, _least, _portion, _retryFailed, _time) = (journal, least, least, retryFailed, time);
        _left = time.GetTimestamp();
        _timer = time.CreateTimer(_ => GiveBack(), null, Patience, Patience / 2);
    }

    /// <summary>Whether it is known of every item what became of it, or it was given out here.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate)
                return _fresh.Count + _others.Count + _mine.Count + _ended.Count + _givenBack.Count == 0;
        }
    }

    /// <summary>Takes an item that is not done as far as is known.</summary>
    public void Add(SharedItem item)
    {
        _isLate |= _time.GetElapsedTime(_left) > Gap;
        _fresh.Add(item);
    }

    /// <summary>Says that no more items come.</summary>
    public void End() => _isAll = true;

    /// <summary>The next item of which something is known: <see cref="ItemDecision.Run"/> where it is to be begun here, and now; or what became of it elsewhere.</summary>
    /// <returns>False where there is none, until more come or others have gone on.</returns>
    public bool TryNext(out ItemDecision decision, out SharedItem item, CancellationToken cancellation)
    {
        while (true)
        {
            if (_ended.TryDequeue(out var ended))
            {
                (decision, item) = ended;
                return true;
            }
            lock (_gate)
            {
                _begun = _time.GetTimestamp();
                if (_mine.TryDequeue(out item!))
                {
                    decision = ItemDecision.Run;
                    return true;
                }
            }
            if ((_isAll || _isLate || _fresh.Count >= _portion) && TryClaim(cancellation))
                continue;
            _left = _time.GetTimestamp();
            decision = default;
            return false;
        }
    }

    public void Dispose() => _timer.Dispose();

    private bool TryClaim(CancellationToken cancellation)
    {
        _isLate = false;
        lock (_gate)
        {
            _others.AddRange(_givenBack);
            _givenBack.Clear();
        }
        _journal.ReadOn(cancellation);
        List<SharedItem> others = [], free = [];
        // Those of others are looked at again at the end, and now and then, so that what is done does not take memory.
        if (_isAll || _others.Count > _sortAt)
        {
            Sort(_others, free, others);
            _sortAt = 2 * others.Count + 1000;
            _others = others;
        }
        Sort(_fresh, free, _others);
        Measure();
        _fresh = free.Count <= _portion ? [] : free[_portion..];
        var claimed = free.Count <= _portion ? free : free[.._portion];
        if (claimed.Count == 0)
            return _ended.Count > 0;
        _journal.Claim([.. claimed.Select(item => item.Id)], cancellation);
        lock (_gate)
        {
            foreach (var item in claimed)
            {
                if (_journal.Look(item.Id, _retryFailed) is not ItemDecision.Run and var decision)
                    _ended.Enqueue((decision, item));
                else if (_journal.IsMine(item.Id))
                    _mine.Enqueue(item);
                else
                    _others.Add(item);
            }
            _granted = _mine.Count;
        }
        return _granted + _ended.Count > 0;
    }

    private void Sort(List<SharedItem> items, List<SharedItem> free, List<SharedItem> others)
    {
        foreach (var item in items)
        {
            if (_journal.Look(item.Id, _retryFailed) is not ItemDecision.Run and var decision)
                _ended.Enqueue((decision, item));
            else
                (_journal.IsWithOther(item.Id) ? others : free).Add(item);
        }
    }

    // By how long the last portion took.
    private void Measure()
    {
        if (_granted > 0)
        {
            var took = _time.GetElapsedTime(_claimed) / _granted;
            _portion = (int)Math.Clamp(took <= TimeSpan.Zero ? Most : Portion / took, _least, Math.Max(_least, Math.Min(Most, Growth * _portion)));
        }
        _claimed = _time.GetTimestamp();
    }

    // The line stands in the journal before the items can be claimed again here.
    private void GiveBack()
    {
        lock (_gate)
        {
            if (_mine.Count == 0 || _time.GetElapsedTime(_begun) < Patience)
                return;
            try
            {
                _journal.GiveBack([.. _mine.Select(item => item.Id)]);
                _givenBack.AddRange(_mine);
                _mine.Clear();
            }
            catch (Exception e) when (e is CheckpointException or OperationCanceledException)
            {
                // Whoever adds or claims next is told.
            }
        }
    }
}
