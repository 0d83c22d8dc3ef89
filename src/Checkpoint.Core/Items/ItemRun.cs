using System.Collections.ObjectModel;
using System.Diagnostics;
using System.Globalization;

namespace Checkpoint;

/// <summary>One execution of a stage that consists of items: which are to be run, what became of them, and whether the stage is complete.</summary>
internal sealed class ItemRun : IDisposable
{
    // A checkpoint without a state that has all of these in its metadata is one of these.
    private static readonly string[] Markers = ["Items", "Done", "Skipped", "Doubled"];

    // Of a key in a message.
    private const int MaxKey = 200;

    private readonly CheckpointEngine _engine;
    private readonly ItemWork _work;
    private readonly TimeProvider _time;
    private readonly Lease _lease;
    private readonly ItemJournal _journal;
    private readonly CancellationToken _stopped;
    private ItemCounts _counts;
    private long _failed;
    private Failure? _first;
    private long _started;
    private Activity? _activity;
    private bool _hasWorked;
    private bool _isTold;
    private volatile bool _isStopped;

    private ItemRun(CheckpointEngine engine, ItemWork work, TimeProvider time, Lease lease, ItemJournal journal, CancellationToken stopped) =>
        (_engine, _work, _time, _lease, _journal, _stopped) = (engine, work, time, lease, journal, stopped);

    public ItemWork Work => _work;

    public ItemJournal Journal => _journal;

    /// <summary>The lease that it works under.</summary>
    public Lease Lease => _lease;

    /// <summary>Whether no more items are to be begun.</summary>
    public bool IsStopped => _isStopped;

    public ItemCounts Counts => _counts with { Done = _journal.Done, Failed = Interlocked.Read(ref _failed) };

    /// <summary>Takes the stage's lease and reads its journal.</summary>
    /// <param name="engine">Where the stage is kept.</param>
    /// <param name="work">What is to be done.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onDurable">Told on any thread that more is on disk, or that writing failed.</param>
    /// <param name="cancellation">Ends the reading; and later says that the work was stopped.</param>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.LeaseHeld"/>, or an error of the store.</exception>
    public static async ValueTask<ItemRun> StartAsync(CheckpointEngine engine, ItemWork work, TimeProvider time, Action? onDurable, CancellationToken cancellation)
    {
        if (work.IsShared)
            return await JoinAsync(engine, work, time, onDurable, cancellation);
        var name = new LeaseName(work.Stage);
        // What the session has locked itself it keeps.
        var held = engine.HeldLease(work.Stage);
        var (lease, other) = held is null ? await engine.Store.TryLeaseAsync(name, LeaseHolder.Self(time), cancellation) : new LeaseAttempt(held, null);
        if (lease is null)
            throw CheckpointErrors.LeaseHeld(name, engine.Store.Location, other);
        ItemLog? log = null;
        try
        {
            log = await engine.Store.OpenItemsAsync(work.Stage, lease, cancellation);
            // Whoever clears the stage must see, from now on, that somebody is at work on its items.
            log.Append([], cancellation);
            await engine.History.RecordAsync(CheckpointEvents.LeaseTaken, work.Stage, null, null, cancellation);
            return new ItemRun(engine, work, time, lease, new ItemJournal(log, time, onDurable, cancellation, () => RequireLease(engine, lease, cancellation)), cancellation);
        }
        catch
        {
            log?.Dispose();
            if (held is null)
                lease.Dispose();
            throw;
        }
    }

    private static async ValueTask<ItemRun> JoinAsync(CheckpointEngine engine, ItemWork work, TimeProvider time, Action? onDurable, CancellationToken cancellation)
    {
        var lease = await new ItemCrew(engine, work.Stage, time).JoinAsync(cancellation);
        ItemJournal? journal = null;
        try
        {
            var log = await engine.Store.OpenItemsAsync(work.Stage, lease, cancellation);
            journal = new ItemJournal(log, time, onDurable, cancellation, () => RequireLease(engine, lease, cancellation), lease);
            journal.Join(lease);
            await engine.History.RecordAsync(CheckpointEvents.LeaseTaken, work.Stage, null, null, cancellation);
            return new ItemRun(engine, work, time, lease, journal, cancellation);
        }
        catch
        {
            journal?.Dispose();
            lease.Dispose();
            throw;
        }
    }

    /// <summary>The part of this process in a list that others work on too.</summary>
    /// <param name="throttle">How many items it does at once.</param>
    public ItemShare Share(int throttle) => new(_journal, throttle, _work.RetryFailed, _time);

    /// <summary>Takes in what became elsewhere of an item that was to be run when it came.</summary>
    public void Ended(ItemDecision decision) => _counts = decision == ItemDecision.Done
        ? _counts with { Skipped = _counts.Skipped + 1 }
        : _counts with { FailedBefore = _counts.FailedBefore + 1 };

    /// <summary>Waits until others may have gone on, and has those who live no more give their items back.</summary>
    /// <param name="atMost">How long it waits at most.</param>
    /// <param name="cancellation">Ends it.</param>
    public async ValueTask WaitForOthersAsync(TimeSpan atMost, CancellationToken cancellation)
    {
        await new ItemCrew(_engine, _work.Stage, _time).ReplaceDeadAsync(_journal, cancellation);
        if (atMost > TimeSpan.Zero)
            _journal.WaitForChange(atMost, cancellation);
    }

    /// <summary>Says what is to be done with the next item of the input. Called by one thread.</summary>
    public ItemDecision Next(ItemId id)
    {
        var decision = _journal.Decide(id, _work.RetryFailed);
        if (decision == ItemDecision.Doubled)
        {
            _counts = _counts with { Doubled = _counts.Doubled + 1 };
            return decision;
        }
        _counts = _counts with
        {
            Items = _counts.Items + 1,
            Skipped = _counts.Skipped + (decision == ItemDecision.Done ? 1 : 0),
            FailedBefore = _counts.FailedBefore + (decision == ItemDecision.Failed ? 1 : 0),
        };
        return decision;
    }

    /// <summary>To be called before an item is run. The first opens the stage again, where it was complete: it is not, while something is to be done.</summary>
    public ValueTask BeginItemAsync(CancellationToken cancellation)
    {
        // What was claimed may be another's by now; and the stage, before the first item comes.
        if (_work.IsShared || !_hasWorked)
            RequireLease(_engine, _lease, cancellation);
        return _hasWorked ? default : BeginAsync(cancellation);
    }

    /// <summary>Runs an item on this thread, again and again as the policy has it.</summary>
    /// <param name="attempt">Does it once; told which attempt it is, from 1 up.</param>
    /// <param name="onRetry">Told what failed, at which attempt, and how long the pause is.</param>
    /// <param name="cancellation">Ends the pauses.</param>
    /// <returns>The failure, or null.</returns>
    public Exception? Attempt(Action<int> attempt, Action<Exception, int, TimeSpan> onRetry, CancellationToken cancellation)
    {
        for (var number = 1; ; number++)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                attempt(number);
                return null;
            }
            catch (Exception e) when (e is not (FlowInterruptedException or OperationCanceledException) && !cancellation.IsCancellationRequested)
            {
                var cause = _work.CauseOf(e);
                if (!_work.Retry.Applies(cause, number))
                    return e;
                var pause = _work.Retry.DelayBefore(number);
                onRetry(e, number, pause);
                Task.Delay(pause, _time, cancellation).GetAwaiter().GetResult();
            }
        }
    }

    /// <summary>Writes down that an item is done. May be called from several threads.</summary>
    /// <param name="id">The item.</param>
    /// <param name="key">Its key.</param>
    /// <param name="output">What it gave, to be kept; or null.</param>
    /// <param name="number">When <see cref="ItemJournal.Durable"/> has reached this, it is on disk, and may be told to the user.</param>
    /// <param name="cancellation">Ends the keeping.</param>
    /// <returns>Why its output cannot be kept, and the item so not be done; or null.</returns>
    /// <exception cref="CheckpointException">The journal cannot be written.</exception>
    public CheckpointException? TryDone(ItemId id, string key, IStateSource? output, out long number, CancellationToken cancellation)
    {
        number = 0;
        try
        {
            number = _journal.Add(new ItemEntry { Id = id, Key = key, At = _time.GetUtcNow(), Output = output is null ? null : _journal.Keep(id, output, cancellation) });
            return null;
        }
        catch (UnkeptValueException e)
        {
            return CheckpointErrors.OutputNotKept(_work.Stage, key, e);
        }
    }

    /// <summary>To be called where an item that was taken for done is not, its output being lost.</summary>
    public void Reopen(ItemId id)
    {
        _counts = _counts with { Skipped = _counts.Skipped - 1 };
        _journal.Forget(id);
    }

    /// <summary>Writes down that an item failed; see <see cref="IsStopped"/> for what follows. May be called from several threads.</summary>
    public void Failed(ItemId id, string key, Exception error)
    {
        var cause = _work.CauseOf(error);
        var message = cause.Message;
        Interlocked.CompareExchange(ref _first, new Failure($"'{ShortText.Cut(key, MaxKey)}': {message}", cause), null);
        var failed = Interlocked.Increment(ref _failed);
        if (!_work.KeepsFailures || failed >= _work.MaxError)
            _isStopped = true;
        if (_work.KeepsFailures)
            _journal.Add(new ItemEntry { Id = id, Key = key, At = _time.GetUtcNow(), Error = message });
    }

    /// <summary>Says what ends the execution before its last item, other than an item that failed or the user.</summary>
    public void Broke(Exception error) => Interlocked.CompareExchange(ref _first, new Failure(error.Message, error), null);

    /// <summary>Ends the execution after its last item: the stage is complete when every item is done.</summary>
    /// <returns>
    /// The checkpoint that was saved, or null where the stage was complete and there was nothing to do, or there was no item at all; and as the error
    /// <see cref="CheckpointErrorKind.StageFailed"/> where items failed, now or before, or that of the pruning.
    /// </returns>
    public async ValueTask<(CheckpointInfo? Saved, CheckpointException? Error)> CompleteAsync(CancellationToken cancellation)
    {
        _journal.Flush();
        if (_hasWorked)
            RequireLease(_engine, _lease, cancellation);
        var counts = Counts;
        if (!counts.AreAllDone)
        {
            var error = CheckpointErrors.ItemsFailed(_work.Stage, counts, _first?.Text, _engine.Store.Location);
            await FailAsync(new Failure(CheckpointErrors.ItemFailures(counts, "items", _first?.Text), _work.KeepsFailures ? error : _first?.Error ?? error));
            return (null, error);
        }
        if (counts.Items == 0)
            return default;
        CheckpointInfo saved;
        CheckpointException? pruneError;
        while (true)
        {
            // Of several who end at once each saves the same step, which is there once.
            var next = _work.IsShared ? await NextStepAsync(cancellation) : null;
            if ((!_hasWorked || _work.IsShared) && await IsCompleteAsync(counts, cancellation))
                return default;
            // The save is a part of the stage, to whoever listens.
            Activity.Current = _activity ?? Activity.Current;
            try
            {
                (saved, _, pruneError) = await _engine.SaveAsync(Draft(counts, next), _work.Retention, cancellation);
                break;
            }
            catch (CheckpointException e) when (next is not null && e.Kind == CheckpointErrorKind.CheckpointExists)
            {
            }
        }
        _isTold = true;
        await _engine.History.RecordAsync(CheckpointEvents.StageCompleted, _work.Stage, saved.Step, Describe(counts), cancellation);
        Diagnostics.StageEnded(_activity, _work.Stage, _time.GetElapsedTime(_started), 1, null);
        return (saved, pruneError);
    }

    /// <summary>Writes what is left and gives the lease back.</summary>
    public void Dispose()
    {
        _journal.Dispose();
        if (_hasWorked && !_isTold && _first is not null)
            FailAsync(_first).AsTask().GetAwaiter().GetResult();
        _activity?.Dispose();
        if (_engine.HeldLease(_work.Stage) != _lease)
            _lease.Dispose();
    }

    private async ValueTask FailAsync(Failure failure)
    {
        _isTold = true;
        await LastWords.SayAsync(token => _engine.History.RecordAsync(CheckpointEvents.StageFailed, _work.Stage, null, failure.Text, token), _stopped);
        if (_hasWorked)
            Diagnostics.StageEnded(_activity, _work.Stage, _time.GetElapsedTime(_started), 1, failure.Error);
    }

    // Who lost it must write no more: another process may, to the same place.
    private static void RequireLease(CheckpointEngine engine, Lease lease, CancellationToken cancellation)
    {
        if (lease.WhyLostAsync(default).AsTask().GetAwaiter().GetResult() is { } reason)
            throw engine.History.RecordLossAsync(lease.Name, reason, cancellation).AsTask().GetAwaiter().GetResult();
    }

    private string Describe(ItemCounts counts) => string.Create(CultureInfo.InvariantCulture, $"{counts.Items} items, {counts.Skipped} of them done before{(_work.IsShared ? " or by others" : "")}");

    private CheckpointDraft Draft(ItemCounts counts, long? step) => new()
    {
        Stage = _work.Stage,
        Step = step,
        SavedAt = _engine.UtcNow,
        Fence = _lease.Fence,
        Metadata = new ReadOnlyDictionary<string, object?>(new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase)
        {
            [Markers[0]] = counts.Items,
            [Markers[1]] = counts.Done,
            [Markers[2]] = counts.Skipped,
            [Markers[3]] = counts.Doubled,
        }),
    };

    private async ValueTask<long?> NextStepAsync(CancellationToken cancellation) => await _engine.Store.FindAsync(_work.Stage, cancellation) is { Steps: [var latest, ..] } ? latest + 1 : 1;

    // Where it is complete by others it is so for these items only if their input had as many.
    private async ValueTask<bool> IsCompleteAsync(ItemCounts counts, CancellationToken cancellation) =>
        await _engine.DecideAsync(_work.Stage, null, null, null, cancellation) is { Decision: StageDecision.Skip, Checkpoint: var checkpoint }
        && (!_hasWorked || (checkpoint!.Metadata.TryGetValue(Markers[0], out var items) && items is long known && known >= counts.Items));

    private async ValueTask BeginAsync(CancellationToken cancellation)
    {
        _hasWorked = true;
        _started = _time.GetTimestamp();
        _activity = Diagnostics.Start("stage", _work.Stage);
        if (await _engine.Store.FindAsync(_work.Stage, cancellation) is { } listing)
        {
            var stale = new List<DoomedStep>();
            foreach (var step in listing.Steps)
            {
                if ((await _engine.Store.ReadAsync(_work.Stage, step, cancellation)).Info is not { State: null } info)
                    continue;
                if (info.IsLocked)
                    throw _engine.Locked(info);
                if (Markers.All(info.Metadata.ContainsKey))
                    stale.Add(new DoomedStep(info));
            }
            if (stale.Count > 0)
                await _engine.ClearAsync(_work.Stage, stale, "there are more items to be done", _lease.Fence, cancellation);
        }
        await _engine.History.RecordAsync(CheckpointEvents.StageStarted, _work.Stage, null, null, cancellation);
    }

    /// <summary>What the stage failed with first.</summary>
    /// <param name="Text">In words, with the item.</param>
    /// <param name="Error">The error.</param>
    private sealed record Failure(string Text, Exception Error);
}
