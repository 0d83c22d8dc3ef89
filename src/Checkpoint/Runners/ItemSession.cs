using System.Globalization;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>
/// What Invoke-CheckpointItem does on the pipeline's thread: asks the run of Core what is to be done with each item, has it done here or in the pool, and tells of what is on disk.
/// </summary>
internal sealed class ItemSession : IDisposable
{
    private static readonly string[] Tags = ["Checkpoint"];

    // Of looking what others do, where the store tells nobody.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10), LongestPause = TimeSpan.FromSeconds(1);

    // Outputs that wait for the disk are held in memory.
    private const int MaxWaiting = 4096;

    private readonly PSCmdlet _command;
    private readonly ContextSettings _context;
    private readonly ItemKeyReader _keys;
    private readonly ItemProgress _progress;
    private readonly CancellationToken _cancellation;
    private readonly bool _savesOutput;
    private readonly bool _hasKey;
    private readonly Queue<(long Number, IEnumerable<object?> Output)> _waiting = new();
    private readonly ItemRun _run;
    private ItemBlock? _block;
    private ItemPool? _pool;
    private ItemShare? _share;
    private ErrorRecord? _stoppedBy;
    private long _withoutOutput;
    private bool _isShown;

    public ItemSession(PSCmdlet command, CheckpointEngine engine, ItemWork work, ItemKeyReader keys, bool savesOutput, long? total, CancellationToken cancellation)
    {
        (_command, _keys, _savesOutput, _hasKey, _cancellation) = (command, keys, savesOutput, engine.Key is not null, cancellation);
        _context = SessionContext.Within(command, engine, work.Stage);
        _progress = new ItemProgress(TimeProvider.System, total);
        _run = ItemRun.StartAsync(engine, work, TimeProvider.System, () => _pool?.Wake(), cancellation).AsTask().GetAwaiter().GetResult();
        if (_run.Journal.Damaged is > 0 and var damaged)
            command.Warn(string.Create(CultureInfo.InvariantCulture, $"The journal of stage {work.Stage} has {damaged} entries that a crash cut off or that were changed. What they told of is done again."));
    }

    /// <summary>Makes ready for the first item.</summary>
    /// <param name="block">What is done with each.</param>
    /// <param name="variables">What it takes from the caller.</param>
    /// <param name="throttle">How many at once; one is done on the pipeline's thread.</param>
    /// <param name="errors">What a non-terminating error in the block does.</param>
    public void Open(ScriptBlock block, UsingVariables variables, int throttle, ActionPreference errors)
    {
        if (_run.Work.IsShared)
            _share = _run.Share(throttle);
        if (throttle == 1)
            _block = new ItemBlock(block, variables, errors, _context);
        else
            _pool = new ItemPool(variables, throttle, errors, _context, _command, _run, _savesOutput, (error, key) => TellError(error, $"Item '{key}'"), Ended, _cancellation);
    }

    /// <summary>Takes the next item of the input.</summary>
    public void Take(object? item)
    {
        _run.Journal.ThrowIfFaulted();
        if (_run.IsStopped)
            Complete();
        var key = _keys.Of(item);
        var id = ItemId.Of(key);
        switch (_run.Next(id))
        {
            case ItemDecision.Doubled:
                _command.WriteVerbose($"Item '{key}' came before and is not done twice.");
                break;
            case ItemDecision.Failed:
                TellFailedBefore(key);
                break;
            case ItemDecision.Run:
                DoOrShare(item, id, key);
                break;
            case ItemDecision.Done when _savesOutput && !TryEmitSaved(id, key):
                _run.Reopen(id);
                DoOrShare(item, id, key);
                break;
        }
        DoShare();
        _pool?.Pump();
        Emit();
        ShowProgress();
    }

    /// <summary>Ends after the last item, or after one that stops the rest.</summary>
    public void Complete()
    {
        if (_share is not null && !_run.IsStopped)
            EndShare(_share);
        _pool?.Drain(() =>
        {
            Emit();
            ShowProgress();
        });
        _run.Journal.Flush();
        Emit();
        if (_isShown)
            _command.WriteProgress(new ProgressRecord(0, Activity, " ") { RecordType = ProgressRecordType.Completed });
        Tell();
        var (saved, error) = _run.CompleteAsync(_cancellation).AsTask().GetAwaiter().GetResult();
        if (_stoppedBy is not null)
            _command.ThrowTerminatingError(_stoppedBy);
        if (error is not null && _run.IsStopped)
            _command.ThrowTerminatingError(error.ToErrorRecord());
        if (error is not null)
            _command.WriteError(error.ToErrorRecord());
        if (saved is not null)
            _command.WriteInformation($"Checkpoint saved: {saved.Name}", Tags);
    }

    /// <summary>Says what ended it: no item, nor the user.</summary>
    public void Broke(Exception error)
    {
        _run.Broke(error);
        GiveRest();
    }

    /// <summary>To be called where no item follows. What was done is not done again, so its output is given now or never.</summary>
    public void GiveRest()
    {
        try
        {
            _pool?.Drain(Emit);
            _run.Journal.Flush();
        }
        catch (CheckpointException)
        {
            // The journal, which is that error or comes behind it. What is not on disk is done again.
        }
        Emit();
    }

    public void Dispose()
    {
        _share?.Dispose();
        _pool?.Dispose();
        _run.Dispose();
    }

    private string Activity => $"Items of stage '{_run.Work.Stage.Name}'";

    private void TellFailedBefore(string key) => _command.WriteVerbose($"Item '{key}' failed before and is left alone; -RetryFailed runs it again.");

    private void DoOrShare(object? item, ItemId id, string key)
    {
        if (_share is null)
            Do(item, id, key);
        else
            _share.Add(new SharedItem(item, id, key));
    }

    // Does what is this process's to do of what came so far, and takes in what others have done.
    private bool DoShare()
    {
        var hasGoneOn = false;
        while (_share is not null && !_run.IsStopped && _share.TryNext(out var decision, out var item, _cancellation))
        {
            hasGoneOn = true;
            if (decision == ItemDecision.Run)
            {
                Do(item.Item, item.Id, item.Key);
                Emit();
                ShowProgress();
                continue;
            }
            _run.Ended(decision);
            if (decision == ItemDecision.Failed)
            {
                TellFailedBefore(item.Key);
            }
            else if (_savesOutput && !TryEmitSaved(item.Id, item.Key))
            {
                _run.Reopen(item.Id);
                _share.Add(item);
            }
        }
        return hasGoneOn;
    }

    // Others have some of the items in their hands, and may die of it: it ends when each is done, or failed.
    private void EndShare(ItemShare share)
    {
        share.End();
        for (var pause = FirstPause; ; pause = pause * 2 > LongestPause ? LongestPause : pause * 2)
        {
            if (DoShare())
                pause = FirstPause;
            Emit();
            ShowProgress();
            if (share.IsEmpty || _run.IsStopped)
                return;
            _pool?.Wait(pause, Emit);
            _run.WaitForOthersAsync(_pool is null ? pause : TimeSpan.Zero, _cancellation).AsTask().GetAwaiter().GetResult();
        }
    }

    private void Do(object? item, ItemId id, string key)
    {
        _run.BeginItemAsync(_cancellation).AsTask().GetAwaiter().GetResult();
        if (_pool is not null)
        {
            _pool.Add(item, id, key, () =>
            {
                Emit();
                ShowProgress();
            });
            return;
        }
        object?[] output = [];
        var error = _run.Attempt(_ => output = _block!.Invoke(item), (e, attempt, pause) => _command.Warn(StageMessages.Retry(_run, key, e, attempt, pause)), _cancellation);
        var number = 0L;
        if (error is null)
            error = _run.TryDone(id, key, _savesOutput ? new ObjectState(output, isSequence: true) : null, out number, _cancellation);
        Ended(id, key, output, number, error);
    }

    private void Ended(ItemId id, string key, object?[] output, long number, Exception? error)
    {
        if (error is null)
        {
            if (output.Length > 0)
                _waiting.Enqueue((number, output));
            if (_waiting.Count > MaxWaiting)
                _run.Journal.Flush();
            return;
        }
        _run.Failed(id, key, error);
        var record = BlockErrors.RecordOf(error, _run.Work.Stage.Name);
        if (!_run.Work.KeepsFailures && _stoppedBy is null)
        {
            _stoppedBy = record;
            if (_pool is null)
                Complete();
            return;
        }
        TellError(record, $"Item '{key}' failed");
        if (_pool is null && _run.IsStopped)
            Complete();
    }

    // Where errors stop a script, one of one item would stop the rest of them, against the word of the caller or of the block.
    private void TellError(ErrorRecord record, string what)
    {
        if (StopsAtErrors())
            _command.Warn($"{what}: {BlockErrors.CauseOf(record.Exception).Message}");
        else
            _command.WriteError(record);
    }

    private bool StopsAtErrors() =>
        (_command.MyInvocation.BoundParameters.TryGetValue("ErrorAction", out var given) ? given : _command.SessionState.PSVariable.GetValue("ErrorActionPreference")) is { } preference
        && LanguagePrimitives.TryConvertTo(preference, out ActionPreference action) && action == ActionPreference.Stop;

    // What is given to the user was done; so it is on disk by then that it was.
    private void Emit()
    {
        while (_waiting.TryPeek(out var next) && next.Number <= _run.Journal.Durable)
        {
            _waiting.Dequeue();
            foreach (var value in next.Output)
                _command.WriteObject(value);
        }
    }

    private bool TryEmitSaved(ItemId id, string key)
    {
        try
        {
            using var reader = _run.Journal.OpenOutput(id);
            if (reader is null)
            {
                _withoutOutput++;
                return true;
            }
            var output = StateDecoder.Decode(reader, _cancellation) as object?[] ?? throw new InvalidDataException("it is no list");
            reader.Complete();
            if (output.Length > 0)
                _waiting.Enqueue((0, output));
            return true;
        }
        catch (Exception e) when (e is not (CheckpointException or OperationCanceledException or OutOfMemoryException))
        {
            _command.Warn($"The saved output of item '{key}' cannot be read ({CheckpointErrors.WhyUnreadable(e, _hasKey)}); the item is done again.");
            return false;
        }
    }

    private void ShowProgress()
    {
        if (!_progress.IsDue())
            return;
        var counts = _run.Counts;
        _isShown = true;
        _command.WriteProgress(new ProgressRecord(0, Activity, _progress.Describe(counts)) { PercentComplete = _progress.Percent(counts), SecondsRemaining = _progress.SecondsLeft(counts) });
    }

    private void Tell()
    {
        var counts = _run.Counts;
        if (counts.Doubled > 0)
            _command.Warn(string.Create(CultureInfo.InvariantCulture, $"{counts.Doubled} items of stage '{_run.Work.Stage.Name}' have a key that another item of the input has, and were not done for that; -Verbose names them."));
        if (_withoutOutput > 0)
            _command.Warn(string.Create(CultureInfo.InvariantCulture, $"{_withoutOutput} items of stage '{_run.Work.Stage.Name}' were done without -SaveOutput, so there is no output of them to give."));
        if (_hasKey && _run.Journal.PlainOutputs is > 0 and var plain)
            _command.Warn(CheckpointErrors.NotVouchedFor(_run.Work.Stage, plain));
        if (counts.Items == 0)
            _command.Warn($"There were no items, so stage '{_run.Work.Stage.Name}' was not completed.");
        _command.WriteInformation(string.Create(CultureInfo.InvariantCulture, $"Items of stage {_run.Work.Stage.Name}: {counts.Done} done, {counts.Skipped} done before{(_share is null ? "" : " or by others")}, {counts.Failed + counts.FailedBefore} failed, {counts.Doubled} doubled"), Tags);
    }
}
