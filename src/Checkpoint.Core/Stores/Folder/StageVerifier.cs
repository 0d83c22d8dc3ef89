namespace Checkpoint;

/// <summary>Verifies what a stage keeps in a folder store: every byte of its records, their payloads, its journal of items and their outputs. It needs no key.</summary>
internal sealed class StageVerifier(string root, FileSystem files)
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
        var check = new ItemsCheck(files, node.Folder, root);
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
            return info.State is null ? null : JudgeState(node, info, info.State, progress, cancellation);
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

    private StoreFinding? JudgeState(FolderNode node, CheckpointInfo info, StoredState state, Action<long>? progress, CancellationToken cancellation)
    {
        if (state.Payload is null)
        {
            using var inline = new StateReader(state, null);
            return info.Encrypted ? null : JudgeDocument(node, inline, cancellation);
        }
        if (FolderLayout.Classify(state.Payload) != new FolderEntry(FolderEntryKind.Payload, info.Step))
            return Find(node, StoreFindingKind.DamagedRecord, FindingSeverity.Error, "The record is damaged: its payload has a name that no payload has. The newest intact step counts.");
        var payload = node with { Role = FolderRole.Payload, Path = Path.Join(node.Folder, state.Payload) };
        var fault = files.Status(payload.Path) is not { } status ? "is missing"
            : status.Type != EntryType.File ? "is no file"
            : status.Length != state.PayloadLength ? $"has {status.Length} bytes and should have {state.PayloadLength}" : null;
        if (fault is null && files.OpenRead(payload.Path) is { } file)
        {
            using var reader = new StateReader(state, new PayloadStream(files, file), read => Report(read, progress, cancellation));
            var undecodable = info.Encrypted ? null : JudgeDocument(node, reader, cancellation);
            if (reader.IsWhole())
                return undecodable;
            fault = "is not what was saved: its SHA-256 is another";
        }
        return Find(payload, StoreFindingKind.DamagedPayload, FindingSeverity.Error, $"The payload of step {info.Step} {fault ?? "is missing"}. The newest intact step counts.");
    }

    private StoreFinding? JudgeDocument(FolderNode node, StateReader reader, CancellationToken cancellation) =>
        StateCheck.WhyNone(reader, cancellation) is { } why ? Find(node, StoreFindingKind.UndecodableState, FindingSeverity.Error, why) : null;

    private static void Report(long read, Action<long>? progress, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        progress?.Invoke(read);
    }

    private StoreFinding Find(FolderNode node, StoreFindingKind kind, FindingSeverity severity, string message) => FolderWalk.Find(node, root, kind, severity, message);
}
