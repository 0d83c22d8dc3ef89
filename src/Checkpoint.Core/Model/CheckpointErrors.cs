using System.Globalization;

namespace Checkpoint;

/// <summary>Every message of Checkpoint: what happened, to which checkpoint, where, and what to do next.</summary>
internal static class CheckpointErrors
{
    private const int ListedNames = 5;

    public static CheckpointException NotFound(StageId stage, long? step, string store, IReadOnlyList<long> steps)
    {
        var where = $"in '{store}'";
        if (step is null || steps.Count == 0)
        {
            return new(CheckpointErrorKind.CheckpointNotFound,
                $"There is no checkpoint {stage} {where}. Save it first with Save-Checkpoint, or see what is there with Get-Checkpoint; Get-CheckpointContext shows which store, pipeline and run are in force.",
                stage.Name);
        }
        var there = string.Join(", ", steps.Take(ListedNames)) + (steps.Count > ListedNames ? ", …" : "");
        return new(CheckpointErrorKind.CheckpointNotFound,
            Invariant($"Checkpoint {stage} has no step {step} {where}. Saved are, newest first: {there}. Name one of these with -Step, or leave -Step out for the latest."),
            stage.Name);
    }

    public static CheckpointException Exists(StageId stage, long step, string store) => new(CheckpointErrorKind.CheckpointExists,
        Invariant($"Step {step} of checkpoint {stage} is already saved in '{store}' and was left as it is. Use -Overwrite to replace it, another -Step, or no -Step for the next one."),
        stage.Name);

    public static CheckpointException Damaged(StageId stage, long step, string location, string reason, Exception? inner = null) => new(CheckpointErrorKind.CheckpointDamaged,
        Invariant($"Step {step} of checkpoint {stage} is damaged: {reason} ('{location}'). Restore another step with -Step, or run the stage again; Clear-Checkpoint with this step removes it."),
        stage.Name, inner);

    public static CheckpointException Undecodable(CheckpointInfo info, Exception inner) => new(CheckpointErrorKind.CheckpointDamaged,
        Invariant($"Step {info.Step} of checkpoint {info.StageId} is, byte for byte, what was saved, and yet its state cannot be read: {WhyUnreadable(inner, info.Encrypted)} ('{info.Location}'). Another version of Checkpoint or another program wrote it: update the Checkpoint module on this machine, restore another step with -Step, or run the stage again."),
        info.Name, inner);

    /// <summary>What a decoder stumbled over. Its words may hold a piece of what it read, and nothing of what was encrypted is ever in a message.</summary>
    public static string WhyUnreadable(Exception error, bool isSecret) => isSecret && error is not InvalidDataException ? "it is not in a form that is known here" : error.Message.TrimEnd('.');

    public static CheckpointException Misplaced(StageId stage, long step, string location, CheckpointInfo saved) => new(CheckpointErrorKind.CheckpointDamaged,
        Invariant($"Step {step} of checkpoint {stage} is damaged: its record belongs to another checkpoint, {saved.StageId} step {saved.Step}, as in a folder that was copied ('{location}'). Run the stage again, or restore the other one; Clear-Checkpoint leaves this record alone, so remove it yourself where it is not wanted."),
        stage.Name);

    public static CheckpointException FormatTooNew(StageId stage, long step, string location, long version, int known) => new(CheckpointErrorKind.FormatTooNew,
        Invariant($"Step {step} of checkpoint {stage} was written in format {version}; this version of Checkpoint reads formats up to {known} ('{location}'). Update the Checkpoint module on this machine."),
        stage.Name);

    public static CheckpointException RunDamaged(string run, string location, Exception inner) => new(CheckpointErrorKind.CheckpointDamaged,
        $"The record of run '{run}' is damaged: {inner.Message.TrimEnd('.')} ('{location}'). Its checkpoints are not touched by that: name the run with -Run to go on with them, or start a new one with -Restart.",
        run, inner);

    public static CheckpointException RunTooNew(string run, string location, long version, int known) => new(CheckpointErrorKind.FormatTooNew,
        Invariant($"The record of run '{run}' was written in format {version}; this version of Checkpoint reads formats up to {known} ('{location}'). Update the Checkpoint module on this machine."),
        run);

    public static CheckpointException CircuitTooNew(DocumentName breaker, string store, long version, int known) => new(CheckpointErrorKind.FormatTooNew,
        Invariant($"The record of circuit {breaker} in '{store}' was written in format {version}; this version of Checkpoint reads formats up to {known}. Update the Checkpoint module on this machine."),
        breaker.Name);

    public static CheckpointException LeaseHeld(LeaseName lease, string store, LeaseHolder? holder) => new(CheckpointErrorKind.LeaseHeld,
        $"{AtWork(lease, store, holder)} {(lease.Name is null ? "Wait for it with -WhenBusy Wait, or try" : "Try")} again when it is done.",
        lease.Name ?? lease.Run ?? lease.Pipeline);

    public static CheckpointException RepairBusy(string location, string store, LeaseHolder? holder) => new(CheckpointErrorKind.LeaseHeld,
        $"'{location}' in the store '{store}' was not repaired: another process is at work on it{(holder is { ProcessId: not 0 } ? $", {holder}" : "")}. Try again when it is done.",
        location);

    /// <summary>What is said, for it is no error, before somebody else is waited for.</summary>
    public static string Waiting(LeaseName lease, string store, LeaseHolder? holder) => AtWork(lease, store, holder) + " It is waited for.";

    public static CheckpointException ItemsTooNew(StageId stage, string location, long version, int known) => new(CheckpointErrorKind.FormatTooNew,
        Invariant($"The journal of the items of checkpoint {stage} was written in format {version}; this version of Checkpoint reads formats up to {known} ('{location}'). Update the Checkpoint module on this machine."),
        stage.Name);

    public static CheckpointException ItemsFailed(StageId stage, ItemCounts counts, string? first, string store) => new(CheckpointErrorKind.StageFailed,
        Invariant($"{ItemFailures(counts, $"items of stage {stage}", first)}. What was done is kept in '{store}', and the stage is not complete. {Advice(counts)}"),
        stage.Name);

    /// <summary>How many items failed, and the first of them, without the full stop.</summary>
    public static string ItemFailures(ItemCounts counts, string items, string? first) =>
        Invariant($"{counts.Failed + counts.FailedBefore} of {counts.Items} {items} failed{(first is null ? "" : $", the first being {first.TrimEnd('.')}")}");

    public static CheckpointException OutputNotKept(StageId stage, string key, UnkeptValueException cause) => new(cause.Kind,
        $"Item '{key}' of stage {stage} was run, but its output cannot be kept, so it does not count as done: {cause.Message} Let the block give something else, or leave -SaveOutput out.",
        key, cause);

    public static InvalidArgumentException NoItemKey(string type) => new(
        $"An item of the type {type} has no key by which it could be known again. Say with -Key what it is known by: the name of a property, such as -Key Id, or a script block, such as -Key {{ $_.Folder + '/' + $_.Name }}, that gives one string, number, Guid or date.");

    public static CheckpointException RunNotFound(string pipeline, string? run, string store) => new(CheckpointErrorKind.RunNotFound,
        (run is null ? $"Pipeline '{pipeline}' has no unfinished run in '{store}', so there is nothing to resume." : $"There is no run '{run}' of pipeline '{pipeline}' in '{store}'.")
            + " See what is there with Get-CheckpointRun, or leave -Resume out to start one.",
        run ?? pipeline);

    public static CheckpointException RunUnknown(string pipeline, string run, string store) => new(CheckpointErrorKind.RunNotFound,
        $"There is no run '{run}' of pipeline '{pipeline}' in '{store}'. See which there are with a wildcard, such as -Run *; -Pipeline * means those of every pipeline.",
        run);

    public static CheckpointException InvalidPipeline(string pipeline, IReadOnlyList<string> faults) => new(CheckpointErrorKind.InvalidPipeline,
        $"Pipeline '{pipeline}' cannot be run: {string.Join("; ", faults)}. Nothing was done. Correct {(faults.Count == 1 ? "this" : "these")} and run it again.",
        pipeline);

    public static CheckpointException ConfigChanged(CheckpointRun run, string changed, string store) => new(CheckpointErrorKind.FingerprintMismatch,
        $"Run '{run.Run}' of pipeline '{run.Pipeline}' in '{store}' was started with another configuration: {changed}. Nothing was done. Use the old configuration to finish it, -OnConfigChange Ignore to go on all the same, or -Restart to start anew.",
        run);

    public static CheckpointException RunParked(CheckpointRun run, string store) => new(CheckpointErrorKind.StageFailed,
        Invariant($"Run '{run.Run}' of pipeline '{run.Pipeline}' in '{store}' is parked: it was started {run.Attempts} times without success, the last error being: {run.LastError?.TrimEnd('.') ?? "none"}. Mend the cause and pass -Resume, or start a new run with -Restart."),
        run);

    public static CheckpointException StageFailed(PipelineResult result, Exception inner)
    {
        var failed = result.Stages.Where(s => s.Status == StageStatus.Failed).ToList();
        var others = failed.Count == 1 ? "" : $" So did {Listed([.. failed.Skip(1).Select(s => $"'{s.Name}'")])}.";
        return new(CheckpointErrorKind.StageFailed,
            $"Stage '{failed[0].Name}' of pipeline '{result.Name}' (run '{result.Run}') failed: {failed[0].Error?.TrimEnd('.')}.{others} What was completed is kept: mend the cause and run the pipeline again, and it goes on there.",
            result, inner);
    }

    public static CheckpointException LeaseLost(LeaseName lease, string store, string reason) => new(CheckpointErrorKind.LeaseLost,
        $"The right to work on {lease} in '{store}' was lost: {reason}. The work was stopped, for another process may be at it. What was completed is kept: see with Get-CheckpointHistory who is at work, and try again when that is done.",
        lease.Name ?? lease.Run ?? lease.Pipeline);

    public static CheckpointException OtherThere(CheckpointInfo saved, string store) => new(CheckpointErrorKind.CheckpointExists,
        Invariant($"Step {saved.Step} of checkpoint {saved.StageId} was not copied: '{store}' has another one of that step, which was left as it is. Replace it with -Overwrite, or clear it there."),
        saved.Name);

    public static CheckpointException NothingToMirror(string from, string to) => new(CheckpointErrorKind.StoreUnavailable,
        $"Nothing was removed from '{to}': '{from}' holds neither checkpoints nor a history, as a store that is not there, or another one than was meant. Name the right one with -From; to empty a store use Clear-Checkpoint.",
        from);

    public static CheckpointException PrimaryGone(string store, string replica) => new(CheckpointErrorKind.StoreUnavailable,
        $"The store '{store}' is not there, while its replica '{replica}' holds checkpoints. Nothing was changed: to save there would begin anew beside them. Bring the store back, as by mounting its share, or fill it from the replica with Copy-Checkpoint -From '{replica}' -To '{store}'.",
        store);

    public static CheckpointException BothGone(string store, string replica, CheckpointException fault) => new(CheckpointErrorKind.StoreUnavailable,
        $"The store '{store}' is not there, and whether its replica holds checkpoints cannot be told: {fault.Message.TrimEnd('.')}. Nothing was changed. Bring one of them back; where both are new, begin without the replica: Set-CheckpointContext -Replica $null.",
        store);

    public static CheckpointException BothAway(CheckpointException fault, string replica, CheckpointException replicaFault) => new(fault.Kind,
        $"{fault.Message} Its replica '{replica}' cannot be read either: {replicaFault.Message}",
        fault.Target, fault);

    public static CheckpointException NotReplicated(string what, string store, string replica, CheckpointException fault) => new(fault.Kind,
        $"{what} is done in '{store}', but not in its replica '{replica}', which is required: {fault.Message.TrimEnd('.')}. Mend the replica, bring it up to date with {CatchUp(store, replica)}, and do it again; or go on without it: Set-CheckpointContext -ReplicaMode Asynchronous.",
        fault.Target, fault);

    public static CheckpointException Unsteady(StageId stage, string store, string replica) => new(CheckpointErrorKind.StoreUnavailable,
        $"Checkpoint {stage} in '{store}' was changed by others again and again while it was brought to the replica '{replica}'. Bring it there when they are done, with {CatchUp(store, replica)}.",
        stage.Name);

    /// <summary>What is said, for it is no error, before the replica is read.</summary>
    public static string PrimaryAway(string store, string replica, CheckpointException fault) =>
        $"The replica '{replica}' is read in place of the store '{store}', and may lack what was done last: {fault.Message}";

    /// <summary>What is said while the replica is away.</summary>
    public static string ReplicaBehind(string store, string replica, string fault) =>
        $"The replica '{replica}' of the store '{store}' does not get what is done, and is tried again: {fault}";

    /// <summary>What is said of what a replica will not get.</summary>
    public static string ReplicaMissed(string store, string replica, string changes, string fault) =>
        $"The replica '{replica}' of the store '{store}' missed {changes} changes ({fault.TrimEnd('.')}). Bring it up to date with {CatchUp(store, replica)}.";

    private static string CatchUp(string store, string replica) => $"Copy-Checkpoint -From '{store}' -To '{replica}' -Mirror";

    public static CheckpointException CopiedWrong(CheckpointInfo saved, string store) => new(CheckpointErrorKind.CheckpointDamaged,
        Invariant($"Step {saved.Step} of checkpoint {saved.StageId} was copied to '{store}', and what is there is not what was sent, as where another process saved it anew at that moment. Copy it again."),
        saved.Name);

    public static CheckpointException WaitedInVain(StageId stage, string store, string reason) => new(CheckpointErrorKind.StageFailed,
        $"Checkpoint {stage} in '{store}' was waited for and will not come: {reason}. See with Get-CheckpointHistory what happened, and have the stage done again.",
        stage.Name);

    public static CheckpointException WaitedTooLong(StageId stage, string store, TimeSpan waited, string reason) => new(CheckpointErrorKind.CheckpointNotFound,
        Invariant($"Checkpoint {stage} in '{store}' was waited for in vain for {waited.TotalSeconds:0.###} s: {reason}. See with Get-CheckpointHistory who is at work, or wait longer with -Timeout."),
        stage.Name);

    public static CheckpointException NoState(StageId stage, long step, string store) => new(CheckpointErrorKind.CheckpointNotFound,
        Invariant($"Checkpoint {stage}, step {step}, in '{store}' was saved without a state, so there is nothing to give to SetState. Save it with -InputObject."),
        stage.Name);

    public static CheckpointException MissingMethod(StageId stage, string store, string type, string method) => new(CheckpointErrorKind.StateNotSerializable,
        $"Checkpoint {stage} in '{store}' was not touched: the object given as -InputObject ({type}) has no method {method}(). Give it one, or leave -InputObject out.",
        stage.Name);

    public static CheckpointException MethodFailed(StageId stage, string store, string method, Exception cause) => new(CheckpointErrorKind.StateNotSerializable,
        $"Checkpoint {stage} in '{store}': {method}() of the object given as -InputObject failed ({cause.Message.TrimEnd('.')}). " + (method == "SetState"
            ? "The checkpoint is whole, but the object may have taken a part of the state. Mend the method, or restore without -InputObject."
            : "Nothing was saved or restored. Mend the method, or leave -InputObject out."),
        stage.Name, cause);

    public static CheckpointException IdentityMismatch(StageId stage, long step, string field, string saved, string current) => new(CheckpointErrorKind.IdentityMismatch,
        Invariant($"Checkpoint {stage}, step {step}, was saved by an object that is not like this one: its identity field '{field}' is {saved} in the checkpoint and {current} in the object. Nothing was restored. Restore into an object with the same identity, or start afresh."),
        stage.Name);

    public static UnkeptValueException NotSerializable(string path, string reason, Exception? inner = null) => new(CheckpointErrorKind.StateNotSerializable, path, reason, inner);

    public static UnkeptValueException SecretWithoutKey(string path, string type) => new(CheckpointErrorKind.KeyRequired, path, $"it is a {type}, and secrets are saved only with a key");

    public static UnkeptValueException SecretInFacts(string path, string type) => new(CheckpointErrorKind.KeyRequired, path, $"it is a {type}, and secrets are saved only in the state, with a key");

    public static CheckpointException NotSaved(StageId stage, string store, UnkeptValueException cause) => new(cause.Kind,
        $"Checkpoint {stage} was not saved in '{store}': {cause.Message} " + (cause.Kind == CheckpointErrorKind.KeyRequired
            ? $"{GiveKey} Or leave the secret out and fetch it again where it is needed, for instance from a secret vault."
            : "Leave it out, or save what it can be made from again."),
        stage.Name, cause);

    public static CheckpointException LostBehind(CheckpointException cause) => new(cause.Kind,
        $"{cause.Message} This was a Save-Checkpoint -Async that went on behind the work: its step is not saved, and the call that tells of it did nothing else. Mend the cause, then save again.",
        cause.Target, cause);

    public static CheckpointException NoFingerprint(UnkeptValueException cause) => new(cause.Kind, $"No fingerprint can be taken of {cause.Path}: {cause.Reason}.", cause.Path, cause);

    public static CheckpointException KeyRequired(CheckpointInfo info, KeyHeader key) => new(CheckpointErrorKind.KeyRequired,
        Invariant($"Checkpoint {info.StageId}, step {info.Step}, in '{info.Store}' is encrypted {With(key)}, and no key was given. {GiveKey}"),
        info.Name);

    public static CheckpointException PrivateKeyRequired(CheckpointInfo info, string thumbprint) => new(CheckpointErrorKind.KeyRequired,
        Invariant($"Checkpoint {info.StageId}, step {info.Step}, in '{info.Store}' {PrivateKey(thumbprint)}"),
        info.Name);

    public static CheckpointException KeyWrong(CheckpointInfo info, KeyHeader key, string given) => new(CheckpointErrorKind.KeyWrong,
        Invariant($"The {Called(given)} does not open checkpoint {info.StageId}, step {info.Step}, in '{info.Store}', which is encrypted {With(key)}. {OtherKey}"),
        info.Name);

    public static CheckpointException OutputLocked(StageId stage, string store, string? given, KeyHeader key, string? thumbprint) =>
        thumbprint is not null ? new(CheckpointErrorKind.KeyRequired, $"What an item of stage {stage} gave, kept in '{store}', {PrivateKey(thumbprint)}", stage.Name)
        : given is null ? new(CheckpointErrorKind.KeyRequired, $"What an item of stage {stage} gave is kept in '{store}' encrypted {With(key)}, and no key was given. {GiveKey}", stage.Name)
        : new(CheckpointErrorKind.KeyWrong, $"The {Called(given)} does not open what an item of stage {stage} gave, kept in '{store}' encrypted {With(key)}. {OtherKey}", stage.Name);

    /// <summary>What is said, for it is no error, where there is a key and a checkpoint that is used is plain.</summary>
    public static string NotVouchedFor(CheckpointInfo info) =>
        Invariant($"Checkpoint {info.StageId}, step {info.Step}, in '{info.Store}' is used though it is not encrypted and there is a key: {AnyWriter} Save it again to have it encrypted.");

    /// <summary>The same of the outputs of items.</summary>
    public static string NotVouchedFor(StageId stage, long items) =>
        Invariant($"What {items} items of stage {stage} gave is used though it is not encrypted and there is a key: {AnyWriter}");

    public static CheckpointException InvalidName(string text, string what, string reason) => new(CheckpointErrorKind.InvalidName,
        Invariant($"'{Printable(text)}' cannot be the name of a {what}: {reason}. A name is any text of 1 to {CheckpointNames.MaxCodePoints} characters without control characters."),
        text);

    public static CheckpointException UnknownScheme(string store, string scheme, IEnumerable<string> known) => new(CheckpointErrorKind.StoreUnavailable,
        $"There is no kind of store for '{scheme}://' ('{StoreRegistry.Shown(store)}'). Known are folder paths and {string.Join(", ", known.Select(k => k + "://"))}.", StoreRegistry.Shown(store));

    public static CheckpointException Unusable(string store, string reason, Exception? inner = null) => new(CheckpointErrorKind.StoreUnavailable,
        $"The store '{StoreRegistry.Shown(store)}' cannot be used: {reason.TrimEnd('.')}. Check that the path exists, can be reached and is a folder.", StoreRegistry.Shown(store), inner);

    /// <summary>Says what an I/O error of the operating system means for the user. <paramref name="target"/> names what was being done.</summary>
    public static CheckpointException FromIO(Exception error, string store, string doing, object? target)
    {
        var (kind, advice) = IOErrors.Classify(error);
        return new(kind, $"{doing} failed in the store '{store}': {error.Message.TrimEnd('.')}. {advice}", target, error);
    }

    /// <summary>The same of the failure of a driver.</summary>
    public static CheckpointException FromDriver(StoreFaultException error, string store, string doing, object? target)
    {
        var (kind, advice) = error.Fault switch
        {
            StoreFault.AccessDenied => (CheckpointErrorKind.StoreAccessDenied, "Give this user the right to it, or name another store with -Store."),
            StoreFault.Full => (CheckpointErrorKind.StoreFull, "Earlier checkpoints are intact. Free some space, for instance with Clear-Checkpoint -Keep, and save again."),
            StoreFault.ReadOnly => (CheckpointErrorKind.StoreReadOnly, "The store can be read but not written. Name a writable one with -Store."),
            StoreFault.LeaseLost => (CheckpointErrorKind.LeaseLost, "Nothing was changed, for another process may be at the work. See with Get-CheckpointHistory who is, and try again when that is done."),
            StoreFault.TooNew => (CheckpointErrorKind.FormatTooNew, "Update the Checkpoint module on this machine."),
            _ => (CheckpointErrorKind.StoreUnavailable, "Earlier checkpoints are untouched. Check that the store can be reached, then try again."),
        };
        return new(kind, $"{doing} failed in the store '{store}': {error.Message.TrimEnd('.')}. {advice}", target, error) { MayRepeat = error.MayRepeat };
    }

    /// <summary>The first few of many, and how many there are beside them.</summary>
    public static string Listed<T>(IReadOnlyCollection<T> items) =>
        string.Join(", ", items.Take(ListedNames)) + (items.Count > ListedNames ? Invariant($" and {items.Count - ListedNames} more") : "");

    private const string GiveKey = "Give it with -Key, Set-CheckpointContext -Key or the environment variable CHECKPOINT_KEY.";

    public const string AnyWriter = "whoever can write to the store can have written it.";

    private const string OtherKey = "Nothing was read. Give the key that it was saved with.";

    private static string PrivateKey(string thumbprint) =>
        $"is encrypted for the certificate {thumbprint}, and the one given has no private key, or one that cannot be used here, so that it can save and not read. Give the certificate with its private key.";

    private static string Called(string kind) => kind == "key" ? "key of 32 bytes" : kind;

    private static string With(KeyHeader key) => key.Kind switch
    {
        "passphrase" => "with a passphrase",
        "key" => "with a key of 32 bytes",
        "certificate" => $"for the certificate {Printable(key.Id)}",
        var other => $"with a key of the kind '{Printable(other)}'",
    };

    private static string AtWork(LeaseName lease, string store, LeaseHolder? holder) =>
        $"Another process is at work on {lease} in '{store}': {(holder is { ProcessId: not 0 } ? holder.ToString() : "it does not say which")}.";

    private static string Advice(ItemCounts counts) => counts.FailedBefore > 0 && counts.Failed == 0
        ? "They failed in an earlier call and were not run now: mend the cause and run them with -RetryFailed."
        : "Mend the cause and run those that failed with -RetryFailed.";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Printable(string text)
    {
        var shown = string.Concat(text.Take(60).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? $"\\u{(int)c:x4}" : c.ToString()));
        return text.Length > 60 ? shown + "…" : shown;
    }
}
