namespace Checkpoint;

/// <summary>Verifies what a stage keeps in a folder store: every byte of its records, their payloads, its journal of items and their outputs; and with a key, that what is encrypted is what was.</summary>
internal sealed class StageVerifier(string root, FileSystem files, TimeProvider time, CheckpointKey? key)
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
        var isBusy = files.IsLocked(FolderLayout.LeasePath(node.Folder)) || new FolderLeases(root, files, time).FindWorker(FolderLayout.LeasePath(node.Folder)) is not null;
        var check = new FolderItemsCheck(files, node, root, key).Run(progress, null, cancellation);
        var verdicts = check.Verdicts().ToLookup(v => v.Severity == FindingSeverity.Error);
        foreach (var (kind, severity, message) in verdicts[true])
            yield return Find(node, kind, severity, message);
        if (check.TooNew is null && check.Damaged.Count > 0)
            yield return Find(node, StoreFindingKind.DamagedJournal, FindingSeverity.Error, $"The journal of items is damaged in line {CheckpointErrors.Listed(check.Damaged)}: what these lines tell of does not count as done.");
        if (check.TooNew is null && check.BadOutputs.Count > 0)
            yield return Find(node, StoreFindingKind.DamagedJournal, FindingSeverity.Error, $"The outputs are damaged of the items in line {CheckpointErrors.Listed(check.BadOutputs)} of the journal.");
        foreach (var (kind, severity, message) in verdicts[false])
            yield return Find(node, kind, severity, message);
        if (check.TooNew is not null)
            yield break;
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
            if (new StateJudge(key, OpenPayload).Judge(info, progress, cancellation) is not var (kind, severity, message))
                return null;
            return Find(kind == StoreFindingKind.DamagedPayload ? node with { Role = FolderRole.Payload, Path = PayloadPath(info) } : node, kind, severity, message);
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

    // The stream of a payload, or what is wrong with it.
    private (Stream? Payload, string? Fault) OpenPayload(CheckpointInfo info, StoredState state)
    {
        if (FolderLayout.Classify(state.Payload!) != new FolderEntry(FolderEntryKind.Payload, info.Step))
            throw new InvalidDataException("its payload has a name that no payload has");
        var path = PayloadPath(info);
        var fault = files.Status(path) is not { } status ? "is missing"
            : status.Type != EntryType.File ? "is no file"
            : status.Length != state.PayloadLength ? $"has {status.Length} bytes and should have {state.PayloadLength}" : null;
        return fault is null && files.OpenRead(path) is { } file ? (new PayloadStream(files, file), null) : (null, fault);
    }

    private static string PayloadPath(CheckpointInfo info) => Path.Join(Path.GetDirectoryName(info.Location), info.State!.Payload);

    private StoreFinding Find(FolderNode node, StoreFindingKind kind, FindingSeverity severity, string message) => FolderWalk.Find(node, root, kind, severity, message);
}
