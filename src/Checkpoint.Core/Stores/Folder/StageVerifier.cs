namespace Checkpoint;

/// <summary>Verifies what a stage keeps in a folder store: every byte of its records, their payloads, its journal of items and their outputs; and with a key, that what is encrypted is what was.</summary>
internal sealed class StageVerifier(string root, FileSystem files, CheckpointKey? key)
{
    private const int Attempts = 10;

    private readonly RecordReader _records = new(root, files);

    /// <summary>Verifies a record and its payload.</summary>
    /// <returns>Null where they are whole, or not there any more.</returns>
    public StoreFinding? VerifyRecord(FolderNode node, Action<long>? progress, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Read(node) is not var (bytes, unreadable) || Judge(node, bytes, unreadable, progress, cancellation) is not { } finding)
                return null;
            // Overwritten or removed meanwhile: then its old payload is gone by rights.
            if (Read(node) is not var (again, _))
                return null;
            if (attempt == Attempts || again.AsSpan().SequenceEqual(bytes))
                return finding;
        }
    }

    /// <summary>Verifies the journal of a stage's items, and the outputs that it names.</summary>
    public IEnumerable<StoreFinding> VerifyItems(FolderNode node, Action<long>? progress, CancellationToken cancellation)
    {
        // Whoever is at work on the items may be writing the last line.
        var isBusy = files.IsLocked(FolderLayout.LeasePath(node.Folder));
        var check = new ItemsCheck(files, node, root, key);
        check.Run(progress, null, cancellation);
        if (check.TooNew is { } version)
        {
            yield return Find(node, StoreFindingKind.FormatTooNew, FindingSeverity.Warning, $"The journal of items was written in format {version}, which this version of Checkpoint does not know.");
            yield break;
        }
        if (check.Owner is { } owner)
            yield return Find(node, StoreFindingKind.Misplaced, FindingSeverity.Error, $"The journal is that of another stage, {owner}, as in a folder that was copied: what it says is done was done for that one.");
        if (check.Damaged.Count > 0)
            yield return Find(node, StoreFindingKind.DamagedJournal, FindingSeverity.Error, $"The journal of items is damaged in line {CheckpointErrors.Listed(check.Damaged)}: what these lines tell of does not count as done.");
        if (check.BadOutputs.Count > 0)
            yield return Find(node, StoreFindingKind.DamagedJournal, FindingSeverity.Error, $"The outputs are damaged of the items in line {CheckpointErrors.Listed(check.BadOutputs)} of the journal.");
        if (check.Locked.Count > 0)
            yield return Find(node, StoreFindingKind.Locked, FindingSeverity.Information, $"The key does not open the outputs of the items in line {CheckpointErrors.Listed(check.Locked)} of the journal; their bytes are what was written.");
        if (check.Plain.Count > 0)
            yield return Find(node, StoreFindingKind.NotEncrypted, FindingSeverity.Warning, $"There is a key, and the outputs of the items in line {CheckpointErrors.Listed(check.Plain)} of the journal are not encrypted: {CheckpointErrors.AnyWriter}");
        if (check.Torn.Count > (isBusy && check.IsLastTorn ? 1 : 0))
            yield return Find(node, StoreFindingKind.TornLine, FindingSeverity.Information, $"Line {check.Torn[0]} of the journal is not whole: a crash cut it off. What it tells of does not count as done.");
    }

    // Null where it is gone.
    private (byte[] Bytes, InvalidDataException? Unreadable)? Read(FolderNode node)
    {
        try
        {
            return files.ReadRecord(node.Path) is { } bytes ? (bytes, null) : null;
        }
        catch (InvalidDataException e)
        {
            return ([], e);
        }
    }

    private StoreFinding? Judge(FolderNode node, byte[] bytes, InvalidDataException? unreadable, Action<long>? progress, CancellationToken cancellation)
    {
        try
        {
            if (unreadable is not null)
                throw unreadable;
            var info = RecordFormat.Parse(bytes, RecordReader.OutputRoot(root), root, node.Path);
            var step = FolderLayout.Classify(node.Name).Step;
            if (_records.Place(info) != node.Folder || info.Step != step)
                return Find(node, StoreFindingKind.Misplaced, FindingSeverity.Error, $"The record belongs to another checkpoint, {info.StageId} step {info.Step}, as in a folder that was copied. It does not count.");
            return key is null ? JudgeBytes(node, info, progress, cancellation) : JudgeWith(key, node, info, progress, cancellation);
        }
        catch (InvalidDataException e)
        {
            return Find(node, StoreFindingKind.DamagedRecord, FindingSeverity.Error, $"The record is damaged: {e.Message}. The newest intact step counts.");
        }
        catch (RecordTooNewException e)
        {
            return Find(node, StoreFindingKind.FormatTooNew, FindingSeverity.Warning, $"The record was written in format {e.Version}, which this version of Checkpoint does not know. Update the module on this machine to verify it.");
        }
    }

    private StoreFinding? JudgeWith(CheckpointKey key, FolderNode node, CheckpointInfo info, Action<long>? progress, CancellationToken cancellation)
    {
        StoreFinding? finding;
        try
        {
            finding = info.Encryption is { } envelope ? Open(key, envelope, node, info, progress, cancellation)
                : Find(node, StoreFindingKind.NotEncrypted, FindingSeverity.Warning, $"There is a key, and this step is not encrypted: {CheckpointErrors.AnyWriter} Save it again to have it encrypted, or clear it.");
            if (finding is null)
                return null;
        }
        catch (InvalidDataException e)
        {
            finding = Find(node, StoreFindingKind.NotAuthentic, FindingSeverity.Error, $"Byte for byte it is what the record says, and yet not what was saved with this key: {e.Message}. Somebody who knows the format changed it. The newest intact step counts.");
        }
        // What an accident did is told as without a key.
        return JudgeBytes(node, info, progress, cancellation) ?? finding;
    }

    // Null where all of it is what was saved with the key.
    private StoreFinding? Open(CheckpointKey key, Envelope envelope, FolderNode node, CheckpointInfo info, Action<long>? progress, CancellationToken cancellation)
    {
        using var dataKey = DataKey.Unwrap(key, envelope, () => SealedIdentity.OfCheckpoint(info, envelope.DocumentLength, envelope.Facts));
        if (dataKey is null)
        {
            return Find(node, StoreFindingKind.Locked, FindingSeverity.Information,
                $"{(key.MissingPrivateKey(envelope.Key) is null ? $"It is encrypted with another key ({envelope.Key.Kind} {envelope.Key.Id}) than the one given" : "The certificate that was given has no private key here")}, so that its bytes alone were verified. They are what was written.");
        }
        if (envelope.Facts is not null)
            SealedFacts.Parse(dataKey.OpenFacts(envelope.Facts));
        if (info.State is not { } state)
            return null;
        var payload = state.Payload is null ? null : FindPayload(node, info.Step, state) is ({ } path, null) ? files.OpenRead(path) : null;
        if (payload is null && state.Payload is not null)
            throw new InvalidDataException("its payload is not there");
        var reader = new StateReader(state, payload is null ? null : new PayloadStream(files, payload), read => Report(read, progress, cancellation));
        using var plain = KeyedStore.OpenState(reader, state, envelope.DocumentLength, dataKey);
        var isState = IsState(plain, cancellation);
        if (!plain.IsWhole())
            throw new InvalidDataException("its encrypted state was changed");
        return isState ? null : Find(node, StoreFindingKind.UndecodableState, FindingSeverity.Error, "The state is what was saved with this key, and yet no state. Another version of Checkpoint or another program wrote it.");
    }

    // Why it is none would be words of the state.
    private static bool IsState(StateReader plain, CancellationToken cancellation)
    {
        try
        {
            StateCheck.Check(plain, cancellation);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private StoreFinding? JudgeBytes(FolderNode node, CheckpointInfo info, Action<long>? progress, CancellationToken cancellation)
    {
        if (info.State is not { } state)
            return null;
        if (state.Payload is null)
        {
            using var inline = new StateReader(state, null);
            return info.Encrypted ? null : JudgeDocument(node, inline, cancellation);
        }
        var (path, fault) = FindPayload(node, info.Step, state);
        if (path is null)
            return Find(node, StoreFindingKind.DamagedRecord, FindingSeverity.Error, "The record is damaged: its payload has a name that no payload has. The newest intact step counts.");
        if (fault is null && files.OpenRead(path) is { } file)
        {
            using var reader = new StateReader(state, new PayloadStream(files, file), read => Report(read, progress, cancellation));
            var undecodable = info.Encrypted ? null : JudgeDocument(node, reader, cancellation);
            if (reader.IsWhole())
                return undecodable;
            fault = "is not what was saved: its SHA-256 is another";
        }
        return Find(node with { Role = FolderRole.Payload, Path = path }, StoreFindingKind.DamagedPayload, FindingSeverity.Error, $"The payload of step {info.Step} {fault ?? "is missing"}. The newest intact step counts.");
    }

    // No path where the record says none that can be; a fault where it is not there as it should be.
    private (string? Path, string? Fault) FindPayload(FolderNode node, long step, StoredState state)
    {
        if (FolderLayout.Classify(state.Payload) != new FolderEntry(FolderEntryKind.Payload, step))
            return (null, null);
        var path = Path.Join(node.Folder, state.Payload);
        return (path, files.Status(path) is not { } status ? "is missing"
            : status.Type != EntryType.File ? "is no file"
            : status.Length != state.PayloadLength ? $"has {status.Length} bytes and should have {state.PayloadLength}" : null);
    }

    private StoreFinding? JudgeDocument(FolderNode node, StateReader reader, CancellationToken cancellation)
    {
        try
        {
            StateCheck.Check(reader, cancellation);
            return null;
        }
        catch (InvalidDataException e)
        {
            return Find(node, StoreFindingKind.UndecodableState, FindingSeverity.Error, $"The state is, byte for byte, what its record says, and yet no state: {e.Message}. Another version of Checkpoint or another program wrote it.");
        }
    }

    private static void Report(long read, Action<long>? progress, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        progress?.Invoke(read);
    }

    private StoreFinding Find(FolderNode node, StoreFindingKind kind, FindingSeverity severity, string message) => FolderWalk.Find(node, root, kind, severity, message);
}
