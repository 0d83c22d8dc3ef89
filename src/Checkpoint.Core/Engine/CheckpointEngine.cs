using System.Globalization;

namespace Checkpoint;

/// <summary>What the cmdlets mean, on any store: saving with retention, deciding, finding, restoring, clearing.</summary>
/// <param name="store">The store.</param>
/// <param name="time">The clock.</param>
/// <param name="onHistoryFault">Told of a history that could not be written; what it would have told of is done.</param>
/// <param name="pending">The saves that go on behind the work; by default those of this process.</param>
/// <param name="key">The key with which everything saved is encrypted, and what is encrypted is read; or null.</param>
internal sealed class CheckpointEngine(CheckpointStore store, TimeProvider? time = null, Action<CheckpointException>? onHistoryFault = null, PendingSaves? pending = null, CheckpointKey? key = null)
{
    // How often a stage is listed anew when what was listed is gone before it was read.
    private const int StaleAttempts = 10;

    private const int ListedSteps = 10;

    private readonly KeyedStore _store = new(store, key);
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly PendingSaves _pending = pending ?? PendingSaves.OfProcess;

    public CheckpointStore Store => _store;

    public CheckpointKey? Key => key;

    public HistoryLog History { get; } = new(store, time ?? TimeProvider.System, onHistoryFault);

    /// <summary>Why a checkpoint that is encrypted cannot be opened here.</summary>
    public CheckpointException Locked(CheckpointInfo checkpoint) => _store.Locked(checkpoint);

    /// <summary>What is to be said, with a key, of a checkpoint that is used and that the key does not vouch for; else null.</summary>
    public string? DoubtOf(CheckpointInfo? used) => key is not null && used is { Encrypted: false } ? CheckpointErrors.NotVouchedFor(used) : null;

    /// <summary>Told how many bytes more of output files were read, on the caller's thread; or null.</summary>
    public Action<int>? OnHashed { get; init; }

    /// <summary>The lease that the caller's session has on a stage: its saves are refused when that is lost. Null where it has none.</summary>
    public Func<StageId, Lease?> HeldLease { get; init; } = static _ => null;

    public DateTimeOffset UtcNow => _time.GetUtcNow();

    /// <summary>Commits a checkpoint, then prunes the stage.</summary>
    /// <returns>The checkpoint, and the error of the pruning where that failed: the save itself is done then.</returns>
    public ValueTask<(CheckpointInfo Saved, int Pruned, CheckpointException? PruneError)> SaveAsync(CheckpointDraft draft, RetentionPolicy retention, CancellationToken cancellation)
    {
        Settle(draft.Stage, cancellation);
        return CommitAsync(Fenced(draft), retention, cancellation);
    }

    /// <summary>
    /// Takes the state into memory, on this thread, and commits the checkpoint behind the work, on another. Waits first until what was so saved of the stage before is
    /// committed; its failure is raised then, and nothing is saved.
    /// </summary>
    /// <exception cref="CheckpointException">What is known at once, such as <see cref="CheckpointErrorKind.CheckpointExists"/>; the rest is raised by the next call for the stage.</exception>
    public void SaveBehind(CheckpointDraft draft, RetentionPolicy retention, CancellationToken cancellation)
    {
        draft = Fenced(draft);
        using var turn = _pending.Enter(_store.Location, draft.Stage, onHistoryFault, cancellation);
        if (draft.Step is { } step && !draft.Overwrite && !_store.ReadAsync(draft.Stage, step, cancellation).AsTask().GetAwaiter().GetResult().IsMissing)
            throw CheckpointErrors.Exists(draft.Stage, step, _store.Location);
        var state = draft.State is null ? null : CapturedState.Take(draft.State, keepsSecrets: key is not null, cancellation);
        turn.Commit(async onFault =>
        {
            using (state)
            {
                var engine = new CheckpointEngine(store, time, onFault, _pending, key);
                var (_, _, pruneError) = await engine.CommitAsync(draft with { State = state, Progress = null }, retention, CancellationToken.None);
                return pruneError;
            }
        });
    }

    private CheckpointDraft Fenced(CheckpointDraft draft) => draft.Fence is null && HeldLease(draft.Stage) is { } lease ? draft with { Fence = lease.Fence } : draft;

    /// <summary>Waits until the saves of a stage that go on behind the work are done.</summary>
    /// <remarks>It holds this thread, rather than to go on on another, because what follows may call back into the caller's code.</remarks>
    /// <exception cref="CheckpointException">One of them failed, and nobody was told yet.</exception>
    private void Settle(StageId stage, CancellationToken cancellation) => _pending.Settle(_store.Location, stage, onHistoryFault, cancellation);

    private async ValueTask<(CheckpointInfo Saved, int Pruned, CheckpointException? PruneError)> CommitAsync(CheckpointDraft draft, RetentionPolicy retention, CancellationToken cancellation)
    {
        CheckpointInfo saved;
        var note = History.NoteOf(CheckpointEvents.Saved, draft.Stage);
        var started = _time.GetTimestamp();
        using (var activity = Diagnostics.Start("save", draft.Stage))
        {
            try
            {
                saved = await Repetition.RunAsync(draft.State, token => _store.SaveAsync(draft with { Note = note }, token), cancellation);
                Diagnostics.SaveEnded(activity, draft.Stage, _time.GetElapsedTime(started), null);
            }
            catch (Exception e)
            {
                var error = e is UnkeptValueException unkept ? CheckpointErrors.NotSaved(draft.Stage, _store.Location, unkept) : e;
                Diagnostics.SaveEnded(activity, draft.Stage, _time.GetElapsedTime(started), error);
                if (error != e)
                    throw error;
                throw;
            }
        }
        if (!note.IsWritten)
            await History.RecordAsync(CheckpointEvents.Saved, draft.Stage, saved.Step, null, cancellation);
        if (!retention.HasRules)
            return (saved, 0, null);
        try
        {
            return (saved, await PruneAsync(draft, retention, saved, cancellation), null);
        }
        catch (CheckpointException e)
        {
            return (saved, 0, e);
        }
    }

    /// <summary>Saves a checkpoint once more, as the next step, with another fingerprint: its state is good for that too.</summary>
    public async ValueTask<CheckpointInfo> AcceptAsync(CheckpointInfo saved, CheckpointFingerprint fingerprint, RetentionPolicy retention, LeaseFence? fence, CancellationToken cancellation)
    {
        if (saved.IsLocked)
            throw Locked(saved);
        using var state = saved.State is null ? null : await _store.OpenStateAsync(saved, null, cancellation);
        var draft = new CheckpointDraft
        {
            Stage = saved.StageId,
            Fingerprint = fingerprint,
            Metadata = saved.Metadata,
            Identity = saved.Identity,
            OutputFiles = saved.OutputFiles,
            State = state is null ? null : new CopiedState(state),
            SavedAt = UtcNow,
            Fence = fence,
        };
        try
        {
            return (await SaveAsync(draft, retention, cancellation)).Saved;
        }
        catch (InvalidDataException e)
        {
            throw CheckpointErrors.Damaged(saved.StageId, saved.Step, saved.Location, e.Message, e);
        }
    }

    /// <summary>Changes the key of what is encrypted, from that of this engine.</summary>
    public KeyChange ChangeTo(CheckpointKey newKey) => new(_store, _time, newKey);

    /// <summary>Says whether a stage is to be skipped.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="step">A step, or null for the newest intact one.</param>
    /// <param name="fingerprint">What it must have been saved under, or null for anything.</param>
    /// <param name="maxAge">How old it may be, or null for any age.</param>
    /// <param name="cancellation">Ends the reading of output files.</param>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.FormatTooNew"/>, or an error of the store. Damage is none.</exception>
    public async ValueTask<CheckpointDecision> DecideAsync(StageId stage, long? step, CheckpointFingerprint? fingerprint, TimeSpan? maxAge, CancellationToken cancellation)
    {
        Settle(stage, cancellation);
        var damage = new List<CheckpointException>();
        var info = await FindIntactAsync(stage, step, damage, cancellation);
        if (info is null)
        {
            return damage.Count == 0
                ? new CheckpointDecision(stage.Name, DecisionCause.NotFound, step is null ? "there is no checkpoint" : $"step {step} is not saved", null)
                : new CheckpointDecision(stage.Name, DecisionCause.Damaged, "no intact checkpoint is left", null) { Damage = damage };
        }

        CheckpointDecision Run(DecisionCause cause, string reason, IReadOnlyList<FingerprintChange>? changed = null) => new(stage.Name, cause, reason, info, changed) { Damage = damage };

        if (fingerprint is not null && !fingerprint.Equals(info.Fingerprint))
        {
            if (info.Fingerprint is null)
                return Run(DecisionCause.FingerprintChanged, "it was saved without a fingerprint");
            var changed = info.Fingerprint.CompareTo(fingerprint);
            return Run(DecisionCause.FingerprintChanged, "the fingerprint changed: " + CheckpointErrors.Listed(changed), changed);
        }
        if (maxAge is { } limit && UtcNow - info.SavedAt > limit)
            return Run(DecisionCause.Expired, string.Create(CultureInfo.InvariantCulture, $"it was saved at {info.SavedAt:u}, longer ago than {limit}"));
        if (OutputFiles.FindChange(info.OutputFiles, cancellation, OnHashed) is { } change)
            return Run(DecisionCause.OutputChanged, change);
        return new CheckpointDecision(stage.Name, DecisionCause.Completed, reason: null, info) { Damage = damage };
    }

    /// <summary>The same of a stage that is done by itself: what a block of PowerShell gave holds for a command line too, and the other way round, as far as what the user named is the same.</summary>
    public async ValueTask<CheckpointDecision> DecideWorkAsync(StageId stage, CheckpointFingerprint fingerprint, CancellationToken cancellation)
    {
        var decision = await DecideAsync(stage, null, fingerprint, null, cancellation);
        return decision is { Cause: DecisionCause.FingerprintChanged, Checkpoint.Fingerprint: { } saved } && TextFingerprint.AreOfOtherTools(decision.Changed)
            ? await DecideAsync(stage, null, saved, null, cancellation)
            : decision;
    }

    /// <summary>The checkpoints of stages: of each the newest intact one, or all, or the steps named. Damage is given as such, beside what is intact.</summary>
    /// <param name="query">The stages.</param>
    /// <param name="steps">The steps, or null for the newest.</param>
    /// <param name="allSteps">Whether every step is wanted.</param>
    /// <param name="cancellation">Ends the listing.</param>
    public async IAsyncEnumerable<CheckpointReading> FindAsync(StageQuery query, IReadOnlyCollection<long>? steps, bool allSteps, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var stage in _store.ListAsync(query, cancellation))
        {
            if (stage.Steps.Count == 0 && stage.Newest.Fault is not null)
                yield return stage.Newest;
            var wanted = steps is null ? stage.Steps : stage.Steps.Where(steps.Contains);
            foreach (var step in wanted)
            {
                cancellation.ThrowIfCancellationRequested();
                var reading = step == stage.Steps[0] ? stage.Newest : await _store.ReadAsync(stage.Stage, step, cancellation);
                if (!reading.IsMissing)
                    yield return reading;
                if (reading.Info is not null && steps is null && !allSteps)
                    break;
            }
        }
    }

    /// <summary>Reads a state back.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="step">A step, or null for the newest intact one.</param>
    /// <param name="decode">Makes an object of the state; called on the caller's thread. It must check nothing itself: what it returns is used only when all bytes are what was saved.</param>
    /// <param name="progress">Told the bytes read and the bytes in all.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="CheckpointException">
    /// <see cref="CheckpointErrorKind.CheckpointNotFound"/>; <see cref="CheckpointErrorKind.CheckpointDamaged"/> where the step named, or every step, is damaged.
    /// </exception>
    public async ValueTask<RestoredState<T>> RestoreAsync<T>(StageId stage, long? step, Func<StateReader, T> decode, Action<long, long>? progress, CancellationToken cancellation)
    {
        Settle(stage, cancellation);
        for (var attempt = 1; ; attempt++)
        {
            // A step that is named is read at once: its stage may have many others.
            var steps = step is { } named ? [named] : (await _store.FindAsync(stage, cancellation))?.Steps ?? [];
            var damage = new List<CheckpointException>();
            var isStale = false;
            foreach (var candidate in steps)
            {
                var reading = await _store.ReadAsync(stage, candidate, cancellation);
                isStale |= reading.IsMissing && step is null;
                if (isStale && attempt < StaleAttempts)
                    break;
                if (Usable(reading, damage) is not { } info)
                    continue;
                var (state, fault) = await new SavedStates(_store).ReadAsync(info, decode, progress, cancellation);
                if (fault is null)
                {
                    await History.RecordAsync(CheckpointEvents.Restored, info.StageId, info.Step, null, cancellation);
                    return new RestoredState<T>(info, state, damage);
                }
                damage.Add(fault);
                isStale |= (await _store.ReadAsync(stage, candidate, cancellation)).Info?.State?.Payload != info.State?.Payload;
                if (isStale && attempt < StaleAttempts)
                    break;
            }
            // Steps that were removed or replaced while they were read say nothing: there may be newer ones, so look again.
            if (!isStale || attempt == StaleAttempts)
                throw damage.Count > 0 ? damage[0] : CheckpointErrors.NotFound(stage, step, _store.Location, (await _store.FindAsync(stage, cancellation))?.Steps ?? []);
        }
    }

    /// <summary>Removes checkpoints of the stages that fit.</summary>
    /// <param name="stage">A stage from a listing of the same store.</param>
    /// <param name="steps">The steps, or null for all.</param>
    /// <param name="reason">Why, for the history, or null.</param>
    /// <param name="cancellation">Stops between two removals.</param>
    public ValueTask<int> ClearAsync(StageId stage, IReadOnlyCollection<DoomedStep>? steps, string? reason, CancellationToken cancellation) => ClearAsync(stage, steps, reason, HeldLease(stage)?.Fence, cancellation);

    /// <summary>The same under a lease that is not the session's.</summary>
    public async ValueTask<int> ClearAsync(StageId stage, IReadOnlyCollection<DoomedStep>? steps, string? reason, LeaseFence? held, CancellationToken cancellation)
    {
        var removed = await _store.RemoveAsync(stage, steps, held, cancellation);
        if (removed > 0)
            await History.RecordAsync(CheckpointEvents.Cleared, stage, steps is { Count: 1 } ? steps.First().Step : null, reason ?? Describe(steps), cancellation);
        return removed;
    }

    /// <summary>Removes what a cut-off save, or items, left of a stage that has no checkpoint.</summary>
    /// <returns>How many checkpoints it had by then all the same.</returns>
    public async ValueTask<int> ClearLeftoversAsync(StageId stage, CancellationToken cancellation)
    {
        var removed = await _store.RemoveAsync(stage, null, HeldLease(stage)?.Fence, cancellation);
        await History.RecordAsync(CheckpointEvents.Cleared, stage, null, removed > 0 ? Describe(null) : "what a cut-off save or items left", cancellation);
        return removed;
    }

    /// <summary>The steps of a stage that are to be cleared.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="steps">Only these, or null for all.</param>
    /// <param name="olderThan">Only what was saved longer ago than this, or null. A damaged one has no age and is not taken for old.</param>
    /// <param name="keep">Not the newest n intact ones, or null.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public async ValueTask<IReadOnlyList<DoomedStep>> SelectForClearingAsync(StageListing stage, IReadOnlyCollection<DoomedStep>? steps, TimeSpan? olderThan, int? keep, CancellationToken cancellation)
    {
        var now = UtcNow;
        var named = steps?.ToLookup(s => s.Step);
        var selected = stage.Steps.SelectMany(step => named is null ? [new DoomedStep(step)] : named[step]);
        if (keep is not null)
        {
            var older = await new RetentionPolicy { Keep = keep }.SelectAsync(stage.Steps, null, now, s => ReadIntactAsync(stage.Stage, s, cancellation));
            var revisions = older.ToDictionary(info => info.Step, info => info.Revision);
            selected = selected.Where(s => revisions.ContainsKey(s.Step)).Select(s => s.Revision is null ? s with { Revision = revisions[s.Step] } : s);
        }
        if (olderThan is not { } age)
            return [.. selected];
        var old = new List<DoomedStep>();
        foreach (var step in selected)
        {
            if (await ReadIntactAsync(stage.Stage, step.Step, cancellation) is { } info && now - info.SavedAt > age)
                old.Add(step.Revision is null ? new DoomedStep(info) : step);
        }
        return old;
    }

    private async ValueTask<int> PruneAsync(CheckpointDraft draft, RetentionPolicy retention, CheckpointInfo saved, CancellationToken cancellation)
    {
        var stage = draft.Stage;
        if (await _store.FindAsync(stage, cancellation) is not { } listing)
            return 0;
        var doomed = await retention.SelectAsync(listing.Steps, saved.Step, UtcNow,
            step => step == saved.Step ? new(saved) : ReadIntactAsync(stage, step, cancellation));
        if (doomed.Count == 0)
            return 0;
        var steps = doomed.Select(info => new DoomedStep(info)).ToList();
        var removed = await _store.RemoveAsync(stage, steps, draft.Fence, cancellation);
        if (removed > 0)
            await History.RecordAsync(CheckpointEvents.Pruned, stage, steps.Count == 1 ? steps[0].Step : null, Describe(steps), cancellation);
        return removed;
    }

    private static string Describe(IReadOnlyCollection<DoomedStep>? steps)
    {
        if (steps is null)
            return "all steps";
        var named = string.Join(", ", steps.Take(ListedSteps).Select(s => s.Step));
        return (steps.Count == 1 ? "step " : "steps ") + named + (steps.Count > ListedSteps ? string.Create(CultureInfo.InvariantCulture, $" and {steps.Count - ListedSteps} more") : "");
    }

    private async ValueTask<CheckpointInfo?> FindIntactAsync(StageId stage, long? step, List<CheckpointException> damage, CancellationToken cancellation)
    {
        if (step is { } named)
            return Usable(await _store.ReadAsync(stage, named, cancellation), damage);
        for (var attempt = 1; ; attempt++)
        {
            damage.Clear();
            if (await _store.RecallAsync(stage, cancellation) is not { } listing)
                return null;
            if (Usable(listing.Newest, damage) is { } newest)
                return newest;
            var isStale = listing.Newest.IsMissing;
            foreach (var older in listing.Steps.Skip(1))
            {
                if (isStale && attempt < StaleAttempts)
                    break;
                var reading = await _store.ReadAsync(stage, older, cancellation);
                if (Usable(reading, damage) is { } info)
                    return info;
                isStale |= reading.IsMissing;
            }
            if (!isStale || attempt == StaleAttempts)
                return null;
        }
    }

    private static CheckpointInfo? Usable(CheckpointReading reading, List<CheckpointException> damage)
    {
        if (reading.Fault is { Kind: CheckpointErrorKind.CheckpointDamaged } fault)
        {
            damage.Add(fault);
            return null;
        }
        return reading.OrThrow();
    }

    private async ValueTask<CheckpointInfo?> ReadIntactAsync(StageId stage, long step, CancellationToken cancellation) => (await _store.ReadAsync(stage, step, cancellation)).Info;
}
