namespace Checkpoint;

/// <summary>Copies one step of a checkpoint from a store to another, of whatever kinds they are, as it was saved: what is encrypted stays so, and no key is needed. What was copied is read back and verified.</summary>
/// <param name="from">The store that is read.</param>
/// <param name="to">The store that is written.</param>
internal sealed class StepCopy(CheckpointStore from, CheckpointStore to)
{
    /// <summary>Copies a step.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="step">The step.</param>
    /// <param name="mayCopy">Asked before it is copied.</param>
    /// <param name="overwrite">Whether a step that is there and is another one is replaced. What is damaged there is replaced in any case.</param>
    /// <param name="progress">Told the bytes of its payload that were read.</param>
    /// <param name="cancellation">Ends it; nothing is copied then.</param>
    /// <returns>Null where it is gone by now, or was not to be copied.</returns>
    /// <exception cref="CheckpointException">An error of one of the stores.</exception>
    public async ValueTask<CopyOutcome?> CopyAsync(StageId stage, long step, Func<CheckpointInfo, bool> mayCopy, bool overwrite, Action<long>? progress, CancellationToken cancellation)
    {
        try
        {
            if ((await from.ReadAsync(stage, step, cancellation)).OrThrow() is not { } saved)
                return null;
            var there = await to.ReadAsync(saved.StageId, step, cancellation);
            // What a newer version of Checkpoint wrote cannot be judged by this one.
            if (there.Fault is { Kind: not CheckpointErrorKind.CheckpointDamaged } unknown)
                return new CopyOutcome(saved, false, unknown);
            // Only what is whole is there: where its payload was damaged since, it is copied again.
            if (there.Info is { } same && IsSame(saved, same) && await IsWholeAsync(same, cancellation))
                return new CopyOutcome(same, false, null);
            var isOther = there.Info is { } other && !IsSame(saved, other);
            if (isOther && !overwrite)
                return new CopyOutcome(saved, false, CheckpointErrors.OtherThere(saved, to.Location));
            if (!mayCopy(saved))
                return null;
            var copy = await SaveAsync(saved, !there.IsMissing, progress, cancellation);
            // As it lies there now, not as it was sent.
            if ((await to.ReadAsync(copy.StageId, step, cancellation)).Info is not { } read || !IsSame(saved, read) || !await IsWholeAsync(read, cancellation))
                return new CopyOutcome(saved, false, CheckpointErrors.CopiedWrong(saved, to.Location));
            return new CopyOutcome(read, true, null);
        }
        catch (InvalidDataException e)
        {
            return new CopyOutcome(null, false, CheckpointErrors.Damaged(stage, step, from.Location, e.Message, e)) { IsOfSource = true };
        }
        // Of this step alone; it exists where somebody else saved it there at this moment.
        catch (CheckpointException e) when (e.Kind is CheckpointErrorKind.CheckpointDamaged or CheckpointErrorKind.FormatTooNew or CheckpointErrorKind.CheckpointExists)
        {
            return new CopyOutcome(null, false, e) { IsOfSource = e.Kind != CheckpointErrorKind.CheckpointExists };
        }
    }

    private async ValueTask<CheckpointInfo> SaveAsync(CheckpointInfo saved, bool overwrite, Action<long>? progress, CancellationToken cancellation)
    {
        using var reader = saved.State is null ? null : await from.OpenStateAsync(saved, null, cancellation);
        return await to.SaveAsync(
            new CheckpointDraft
            {
                Stage = saved.StageId,
                Step = saved.Step,
                Overwrite = overwrite,
                Fingerprint = saved.Fingerprint,
                Metadata = saved.Metadata,
                Identity = saved.Identity,
                OutputFiles = saved.OutputFiles,
                State = reader is null ? null : new RawState(saved.State!, reader),
                Close = saved.Encryption is { } envelope ? _ => envelope : null,
                SavedAt = saved.SavedAt,
                Origin = new CheckpointOrigin(saved.Host, saved.User, saved.ProcessId),
                Progress = progress,
            },
            cancellation);
    }

    private async ValueTask<bool> IsWholeAsync(CheckpointInfo info, CancellationToken cancellation)
    {
        if (info.State?.Payload is null)
            return true;
        try
        {
            using var reader = await to.OpenStateAsync(info, null, cancellation);
            return reader.IsWhole();
        }
        catch (CheckpointException e) when (e.Kind == CheckpointErrorKind.CheckpointDamaged)
        {
            return false;
        }
    }

    /// <summary>Whether two records say the same, whatever their stores call their payloads.</summary>
    public static bool IsSame(CheckpointInfo a, CheckpointInfo b) => a.StageId.Equals(b.StageId) && Essence(a).AsSpan().SequenceEqual(Essence(b));

    private static byte[] Essence(CheckpointInfo info) => RecordFormat.Serialize(info.WithState(info.State?.Payload is null ? info.State : info.State.Named("")), "");
}
