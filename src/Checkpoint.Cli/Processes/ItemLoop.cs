using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;

namespace Checkpoint.Cli;

/// <summary>Does the items of a stage: asks the run of Core what is to be done with each, has its command run, and gives on what is on disk.</summary>
internal sealed class ItemLoop : IDisposable
{
    /// <summary>How much of an item a message shows.</summary>
    public const int MaxShown = 200;

    private const string Place = "{}";

    // Of looking what others do, where the store tells nobody.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10), LongestPause = TimeSpan.FromSeconds(1);

    private readonly Call _call;
    private readonly ItemWork _work;
    private readonly string[] _words;
    private readonly bool _savesOutput;
    private readonly bool _isAside;
    private readonly ConcurrentQueue<ReportItemFailure> _failures = new();
    private readonly SemaphoreSlim _slots;
    private readonly object _gate = new();
    private readonly Queue<(long Number, ReadOnlySequence<byte> Output)> _waiting = new();
    private readonly List<Task> _running = [];
    private readonly int _throttle;
    private ItemRun? _run;
    private ItemShare? _share;
    private Exception? _broken;

    /// <param name="call">The call of the tool.</param>
    /// <param name="work">What is to be done.</param>
    /// <param name="words">The command and its arguments.</param>
    /// <param name="throttle">How many items are done at once.</param>
    /// <param name="savesOutput">Whether what each item prints is kept.</param>
    /// <param name="isAside">Whether all that commands write is passed on to the standard error.</param>
    public ItemLoop(Call call, ItemWork work, string[] words, int throttle, bool savesOutput, bool isAside)
    {
        (_call, _work, _words, _throttle, _savesOutput, _isAside) = (call, work, words, throttle, savesOutput, isAside);
        _slots = new SemaphoreSlim(throttle);
    }

    private ItemRun Run => _run!;

    /// <summary>Does them.</summary>
    /// <returns>What became of them.</returns>
    public async ValueTask<ItemOutcome> RunAsync(InputItems input)
    {
        _run = await ItemRun.StartAsync(_call.Engine, _work, TimeProvider.System, Emit, _call.Cancellation);
        _share = _work.IsShared ? Run.Share(_throttle) : null;
        if (Run.Journal.Damaged is > 0 and var damaged)
            Terminal.Warn(string.Create(CultureInfo.InvariantCulture, $"The journal of stage {_work.Stage} has {damaged} entries that a crash cut off or that were changed. What they told of is done again."));
        try
        {
            await foreach (var item in input.Start().ReadAllAsync(_call.Cancellation))
            {
                Run.Journal.ThrowIfFaulted();
                if (Run.IsStopped || _broken is not null)
                    break;
                await TakeAsync(item);
            }
            if (_share is not null && !Run.IsStopped && _broken is null)
                await EndShareAsync(_share);
        }
        catch (Exception e) when (e is CheckpointException or InvalidArgumentException)
        {
            Run.Broke(e);
            throw;
        }
        finally
        {
            // Whatever ends it: what runs is waited for, which Ctrl+C was told of too.
            await Task.WhenAll(_running);
        }
        _call.Cancellation.ThrowIfCancellationRequested();
        if (_broken is not null)
        {
            Run.Broke(_broken);
            throw _broken;
        }
        Run.Journal.Flush();
        Emit();
        Tell();
        var (saved, error) = await Run.CompleteAsync(_call.Cancellation);
        return new ItemOutcome(Run.Counts, [.. _failures], saved, error);
    }

    public void Dispose()
    {
        _share?.Dispose();
        _run?.Dispose();
        _slots.Dispose();
    }

    private async ValueTask TakeAsync(string item)
    {
        var id = ItemId.Of(item);
        switch (Run.Next(id))
        {
            case ItemDecision.Doubled:
                Terminal.Note($"Item '{Name(item)}' came before and is not done twice.");
                return;
            case ItemDecision.Failed:
                Terminal.Note($"Item '{Name(item)}' failed before and is left alone; --retry-failed runs it again.");
                return;
            case ItemDecision.Done:
                if (!_savesOutput || TryEmitSaved(id, item))
                    return;
                Run.Reopen(id);
                break;
        }
        if (_share is null)
        {
            await BeginAsync(item, id);
            return;
        }
        _share.Add(new SharedItem(item, id, item));
        await DoShareAsync(_share);
    }

    // Does what is this process's to do of what came so far, and takes in what others have done.
    private async ValueTask<bool> DoShareAsync(ItemShare share)
    {
        var hasGoneOn = false;
        while (!Run.IsStopped && _broken is null && share.TryNext(out var decision, out var item, _call.Cancellation))
        {
            hasGoneOn = true;
            if (decision == ItemDecision.Run)
            {
                await BeginAsync(item.Key, item.Id);
                continue;
            }
            Run.Ended(decision);
            if (decision == ItemDecision.Done && _savesOutput && !TryEmitSaved(item.Id, item.Key))
            {
                Run.Reopen(item.Id);
                share.Add(item);
            }
        }
        return hasGoneOn;
    }

    // Others have some of the items in their hands, and may die of it: it ends when each is done, or failed.
    private async ValueTask EndShareAsync(ItemShare share)
    {
        share.End();
        for (var pause = FirstPause; ; pause = pause * 2 > LongestPause ? LongestPause : pause * 2)
        {
            if (await DoShareAsync(share))
                pause = FirstPause;
            if (share.IsEmpty || Run.IsStopped || _broken is not null)
                return;
            _running.RemoveAll(task => task.IsCompleted);
            var isAtWork = _running.Count > 0;
            if (isAtWork)
                await Task.WhenAny([.. _running, Task.Delay(pause, _call.Cancellation)]);
            await Run.WaitForOthersAsync(isAtWork ? TimeSpan.Zero : pause, _call.Cancellation);
        }
    }

    private async ValueTask BeginAsync(string item, ItemId id)
    {
        await _slots.WaitAsync(_call.Cancellation);
        // Of one after the other nothing is begun after one that failed.
        if (Run.IsStopped || _broken is not null)
        {
            _slots.Release();
            return;
        }
        await Run.BeginItemAsync(_call.Cancellation);
        _running.RemoveAll(task => task.IsCompleted);
        _running.Add(Task.Factory.StartNew(() => Do(item, id), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        if (_throttle == 1)
            await Task.WhenAll(_running);
    }

    // On a thread of its own: the item is in the journal as soon as it is done.
    private void Do(string item, ItemId id)
    {
        try
        {
            var output = ReadOnlySequence<byte>.Empty;
            var error = Run.Attempt(_ => output = Execute(item), (e, attempt, pause) => Terminal.Warn(Messages.Retry($"Item '{Name(item)}' of stage '{_work.Stage.Name}'", e, attempt, _work.Retry, pause)), _call.Cancellation);
            var number = 0L;
            error ??= Run.TryDone(id, item, _savesOutput ? Kept(output) : null, out number, _call.Cancellation);
            if (error is null)
            {
                lock (_gate)
                    _waiting.Enqueue((number, output));
                Emit();
                return;
            }
            Run.Failed(id, item, error);
            _failures.Enqueue(new ReportItemFailure(item, _call.Engine.UtcNow, error.Message));
            Messages.Tell($"item '{Name(item)}' failed: {error.Message.TrimEnd('.')}.");
        }
        catch (Exception e)
        {
            // The journal, or Ctrl+C: whoever reads the items is told by it.
            Interlocked.CompareExchange(ref _broken, e, null);
        }
        finally
        {
            _slots.Release();
        }
    }

    private ReadOnlySequence<byte> Execute(string item)
    {
        var captured = new Captured();
        string[] words = _words.Any(word => word.Contains(Place, StringComparison.Ordinal)) ? [.. _words.Select(word => word.Replace(Place, item, StringComparison.Ordinal))] : [.. _words, item];
        try
        {
            new ChildCommand(words, _call.Environment, _call.Signals) { OnWritten = (isError, bytes) => captured.Add(isError, bytes.Span) }.Run(_call.Cancellation);
            Pass(captured.Error);
            return captured.Output;
        }
        catch (CommandFailedException)
        {
            // What failed says why.
            Pass(captured.Output);
            Pass(captured.Error);
            throw;
        }
    }

    // Lines, as a cmdlet would keep them, where these give every byte back.
    private static IStateSource Kept(ReadOnlySequence<byte> output) => new OutputLines(output) is var lines && lines.Ending == LineEnding.OfSystem ? lines : new OutputBytes(output);

    // Whole, so that several at once do not mix.
    private static void Pass(ReadOnlySequence<byte> error)
    {
        foreach (var piece in error)
            Terminal.Pass(isError: true, piece.Span);
    }

    // What is given to the user was done; so it is on disk by then that it was.
    private void Emit()
    {
        lock (_gate)
        {
            while (_run is not null && _waiting.TryPeek(out var next) && next.Number <= Run.Journal.Durable)
            {
                _waiting.Dequeue();
                foreach (var piece in next.Output)
                    Terminal.Pass(_isAside, piece.Span);
            }
        }
    }

    private bool TryEmitSaved(ItemId id, string item)
    {
        try
        {
            using var saved = Run.Journal.OpenOutput(id);
            if (saved is null)
            {
                Terminal.Warn($"Item '{Name(item)}' was done without --save-output, so there is no output of it to print.");
                return true;
            }
            var state = StateDocument.Read(saved, _call.Cancellation);
            saved.Complete();
            using var output = new MemoryStream();
            state.WriteRaw(output, LineEnding.OfSystem, () => Run.Journal.OpenOutput(id)!, _call.Cancellation);
            lock (_gate)
                _waiting.Enqueue((0, new ReadOnlySequence<byte>(output.GetBuffer(), 0, (int)output.Length)));
            Emit();
            return true;
        }
        catch (Exception e) when (e is not (CheckpointException or OperationCanceledException or OutOfMemoryException or InvalidArgumentException))
        {
            Terminal.Warn($"The saved output of item '{Name(item)}' cannot be read ({CheckpointErrors.WhyUnreadable(e, _call.Engine.Key is not null)}); the item is done again.");
            return false;
        }
    }

    private static string Name(string item) => ShortText.Cut(item, MaxShown);

    private void Tell()
    {
        var counts = Run.Counts;
        if (_call.Engine.Key is not null && Run.Journal.PlainOutputs is > 0 and var plain)
            Terminal.Warn(CheckpointErrors.NotVouchedFor(_work.Stage, plain));
        if (counts.Items == 0)
            Terminal.Warn($"There were no items, so stage '{_work.Stage.Name}' was not completed.");
        Terminal.Say(string.Create(CultureInfo.InvariantCulture, $"Items of stage {_work.Stage.Name}: {counts.Done} done, {counts.Skipped} done before{(_share is null ? "" : " or by others")}, {counts.Failed + counts.FailedBefore} failed, {counts.Doubled} doubled"));
    }
}
