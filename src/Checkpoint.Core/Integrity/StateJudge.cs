namespace Checkpoint;

/// <summary>Judges what a whole record keeps, on any store: every byte of its state; and with a key, that what is encrypted is what was saved.</summary>
/// <param name="key">What opens encrypted states; null where their bytes alone are judged.</param>
/// <param name="open">Opens the payload that a state names, or says what is wrong with it. Throws where the name can be none.</param>
internal sealed class StateJudge(CheckpointKey? key, Func<CheckpointInfo, StoredState, (Stream? Payload, string? Fault)> open)
{
    /// <summary>Judges the state of a checkpoint.</summary>
    /// <returns>Null where nothing is the matter with it.</returns>
    /// <exception cref="InvalidDataException">The record names a payload that there can be none.</exception>
    public StateVerdict? Judge(CheckpointInfo info, Action<long>? progress, CancellationToken cancellation)
    {
        if (key is null)
            return JudgeBytes(info, progress, cancellation);
        StateVerdict? verdict;
        try
        {
            verdict = info.Encryption is { } envelope ? Open(key, envelope, info, progress, cancellation)
                : new(StoreFindingKind.NotEncrypted, FindingSeverity.Warning, $"There is a key, and this step is not encrypted: {CheckpointErrors.AnyWriter} Save it again to have it encrypted, or clear it.");
            if (verdict is null)
                return null;
        }
        catch (InvalidDataException e)
        {
            verdict = new(StoreFindingKind.NotAuthentic, FindingSeverity.Error, $"Byte for byte it is what the record says, and yet not what was saved with this key: {e.Message}. Somebody who knows the format changed it. The newest intact step counts.");
        }
        // What an accident did is told as without a key.
        return JudgeBytes(info, progress, cancellation) ?? verdict;
    }

    // Null where all of it is what was saved with the key.
    private StateVerdict? Open(CheckpointKey key, Envelope envelope, CheckpointInfo info, Action<long>? progress, CancellationToken cancellation)
    {
        using var dataKey = DataKey.Unwrap(key, envelope, () => SealedIdentity.OfCheckpoint(info, envelope.DocumentLength, envelope.Facts));
        if (dataKey is null)
        {
            return new(StoreFindingKind.Locked, FindingSeverity.Information,
                $"{(key.MissingPrivateKey(envelope.Key) is null ? $"It is encrypted with another key ({envelope.Key.Kind} {envelope.Key.Id}) than the one given" : "The certificate that was given has no private key here")}, so that its bytes alone were verified. They are what was written.");
        }
        if (envelope.Facts is not null)
            SealedFacts.Parse(dataKey.OpenFacts(envelope.Facts));
        if (info.State is not { } state)
            return null;
        var payload = state.Payload is null ? null : open(info, state).Payload ?? throw new InvalidDataException("its payload is not there");
        var reader = new StateReader(state, payload, read => Report(read, progress, cancellation));
        using var plain = KeyedStore.OpenState(reader, state, envelope.DocumentLength, dataKey);
        // Why it is none would be words of the state.
        var isState = StateCheck.WhyNone(plain, cancellation) is null;
        if (!plain.IsWhole())
            throw new InvalidDataException("its encrypted state was changed");
        return isState ? null : new(StoreFindingKind.UndecodableState, FindingSeverity.Error, "The state is what was saved with this key, and yet no state. Another version of Checkpoint or another program wrote it.");
    }

    private StateVerdict? JudgeBytes(CheckpointInfo info, Action<long>? progress, CancellationToken cancellation)
    {
        if (info.State is not { } state)
            return null;
        if (state.Payload is null)
        {
            using var inline = new StateReader(state, null);
            return info.Encrypted ? null : JudgeDocument(inline, cancellation);
        }
        var (payload, fault) = open(info, state);
        if (payload is not null)
        {
            using var reader = new StateReader(state, payload, read => Report(read, progress, cancellation));
            var undecodable = info.Encrypted ? null : JudgeDocument(reader, cancellation);
            if (reader.IsWhole())
                return undecodable;
            fault = "is not what was saved: its SHA-256 is another";
        }
        return new(StoreFindingKind.DamagedPayload, FindingSeverity.Error, $"The payload of step {info.Step} {fault ?? "is missing"}. The newest intact step counts.");
    }

    private static StateVerdict? JudgeDocument(StateReader reader, CancellationToken cancellation) =>
        StateCheck.WhyNone(reader, cancellation) is { } why ? new(StoreFindingKind.UndecodableState, FindingSeverity.Error, why) : null;

    private static void Report(long read, Action<long>? progress, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        progress?.Invoke(read);
    }
}
