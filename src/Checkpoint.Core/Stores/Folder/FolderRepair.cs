namespace Checkpoint;

/// <summary>
/// Sees to findings in a folder store: each by the lock that its writers take, and only if it is still so. What is damaged is moved into the quarantine and never removed.
/// </summary>
internal sealed class FolderRepair(string root, FileSystem files, TimeProvider time, string quarantine, CheckpointKey? key)
{
    // As long as a save waits for the other writers of a stage.
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);

    private readonly FolderQuarantine _quarantine = new(root, files, quarantine);
    private readonly FolderVerifier _verifier = new(root, files, time, key);

    /// <summary>Sees to a finding.</summary>
    /// <returns>The finding as it was then, with what was done; null where there is nothing to do any more.</returns>
    /// <exception cref="IOException">It could not be done, or others have had the stage's lock for too long.</exception>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.LeaseHeld"/> where others are at work on it.</exception>
    public async ValueTask<StoreFinding?> RepairAsync(StoreFinding finding, CancellationToken cancellation)
    {
        if (Locate(finding.Location) is not { } node)
            return null;
        return (finding.Remedy, node.Role) switch
        {
            (FindingAction.Acknowledged, FolderRole.History) => await AcknowledgeAsync(finding, node, cancellation),
            (FindingAction.Rebuilt, FolderRole.History) => await RebuildHeadAsync(finding, node, cancellation),
            (FindingAction.Removed, _) => await RemoveAsync(finding, node, cancellation),
            (FindingAction.Quarantined, _) => await TellAsync(finding.Kind == StoreFindingKind.NotAFile ? await TakeStrangerAsync(finding, node, cancellation) : await TakeAsync(node, cancellation), node, cancellation),
            _ => null,
        };
    }

    private async ValueTask<(StoreFinding Finding, string Place)?> TakeAsync(FolderNode node, CancellationToken cancellation)
    {
        switch (node.Role)
        {
            case FolderRole.Record or FolderRole.Payload:
                using (await LockAsync(node.Folder, cancellation))
                    return TakeStep(node, cancellation);
            case FolderRole.Items:
                using (await LeaseAsync(node, FolderLayout.LeasePath(node.Folder), cancellation))
                    return TakeItems(node, cancellation);
            case FolderRole.RunRecord:
                using (await LeaseAsync(node, Path.Join(node.Folder, "run.lock"), cancellation))
                    return TakeFile(node, cancellation);
            case FolderRole.Breaker:
                using (await LeaseAsync(node, Path.ChangeExtension(node.Path, ".lock"), cancellation))
                    return TakeFile(node, cancellation);
            default:
                return null;
        }
    }

    // The payloads go first: were it cut off between the two, a payload without its record would be a leftover, and removed.
    private (StoreFinding Finding, string Place)? TakeStep(FolderNode node, CancellationToken cancellation)
    {
        var step = FolderLayout.Classify(node.Name).Step;
        var record = node with { Role = FolderRole.Record, Path = Path.Join(node.Folder, FolderLayout.RecordName(step)) };
        if (_verifier.Verify(record, null, cancellation).FirstOrDefault(f => f.Remedy == FindingAction.Quarantined) is not { } finding)
            return null;
        TakePayloads(record);
        return (finding, _quarantine.Take(record.Path));
    }

    private void TakePayloads(FolderNode record)
    {
        foreach (var payload in StageFolder.List(files, record.Folder).PayloadsOf(FolderLayout.Classify(record.Name).Step).Select(name => Path.Join(record.Folder, name)))
        {
            if (files.Status(payload) is { Type: EntryType.File } && !files.IsLocked(payload))
                _quarantine.Take(payload);
        }
    }

    private (StoreFinding Finding, string Place)? TakeFile(FolderNode node, CancellationToken cancellation) =>
        _verifier.Verify(node, null, cancellation).FirstOrDefault(f => f.Remedy == FindingAction.Quarantined) is { } finding ? (finding, _quarantine.Take(node.Path)) : null;

    private (StoreFinding Finding, string Place)? TakeItems(FolderNode node, CancellationToken cancellation)
    {
        var findings = _verifier.Verify(node, null, cancellation).Where(f => f.Remedy == FindingAction.Quarantined).ToList();
        if (findings.Count == 0)
            return null;
        if (findings.FirstOrDefault(f => f.Kind == StoreFindingKind.Misplaced) is not { } misplaced)
            return (findings[0], TakeLines(node, cancellation));
        var place = _quarantine.Take(node.Path);
        foreach (var outputs in StageFolder.List(files, node.Folder).Items.Select(name => Path.Join(node.Folder, name)).Where(path => files.Status(path) is { Type: EntryType.File }))
            _quarantine.Take(outputs);
        return (misplaced, place);
    }

    // The bad lines are safe in the quarantine before the journal is replaced by one without them.
    private string TakeLines(FolderNode node, CancellationToken cancellation)
    {
        var place = _quarantine.Prepare(node.Path);
        for (var copy = 2; files.Status(place) is not null; copy++)
            place = $"{_quarantine.Prepare(node.Path)}~{copy}";
        WholeFile.Replace(files, node.Folder, node.Name, good =>
        {
            using var bad = files.CreateFile(place);
            using (var goodLines = new BufferedStream(new PayloadStream(files, good, leaveOpen: true), 1 << 16))
            using (var badLines = new BufferedStream(new PayloadStream(files, bad, leaveOpen: true), 1 << 16))
            {
                var hasHead = false;
                new FolderItemsCheck(files, node, root, key).Run(null, (piece, isGood) =>
                {
                    if (piece.IsEmpty)
                        return;
                    if (isGood && !hasHead && ItemFormat.VersionOf(piece.Span) is null)
                        goodLines.Write(Head(node));
                    hasHead |= isGood;
                    var lines = isGood ? goodLines : badLines;
                    lines.Write(piece.Span);
                    lines.WriteByte((byte)'\n');
                }, cancellation);
            }
            files.Flush(bad);
            Flush(Path.GetDirectoryName(place)!);
        });
        return Path.GetRelativePath(root, place);
    }

    // A journal whose head is lost gets another, as far as the folders tell the names.
    private static ReadOnlySpan<byte> Head(FolderNode node)
    {
        if (node.Stage is not { } stage)
            return [];
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        ItemFormat.WriteHead(buffer, stage);
        return buffer.WrittenSpan;
    }

    private async ValueTask<(StoreFinding Finding, string Place)?> TakeStrangerAsync(StoreFinding finding, FolderNode node, CancellationToken cancellation)
    {
        using (node.Role == FolderRole.Record ? await LockAsync(node.Folder, cancellation) : null)
        {
            if (files.Status(node.Path) is not { Type: EntryType.Link or EntryType.Other })
                return null;
            // What the record named that is gone from there.
            if (node.Role == FolderRole.Record)
                TakePayloads(node);
            return (finding, _quarantine.Take(node.Path));
        }
    }

    private async ValueTask<StoreFinding?> RemoveAsync(StoreFinding finding, FolderNode node, CancellationToken cancellation)
    {
        using (node.Parent!.Role == FolderRole.Stage ? await LockAsync(node.Folder, cancellation) : null)
            return _verifier.IsLeftover(node) && files.TryDeleteAbandoned(node.Path) ? finding with { Action = FindingAction.Removed } : null;
    }

    private async ValueTask<StoreFinding?> RebuildHeadAsync(StoreFinding finding, FolderNode node, CancellationToken cancellation)
    {
        if (!_verifier.Verify(node, null, cancellation).Any(f => f.Kind == StoreFindingKind.HistoryHead))
            return null;
        await new FolderHistory(root, files).AppendAsync(node.Folder, [], cancellation);
        return finding with { Action = FindingAction.Rebuilt };
    }

    private async ValueTask<StoreFinding?> AcknowledgeAsync(StoreFinding finding, FolderNode node, CancellationToken cancellation)
    {
        await new FolderHistory(root, files).AppendAsync(node.Folder, [HistoryLog.Describe(time, CheckpointEvents.HistoryBroken, node.NameOf(FolderRole.Pipeline)!, null, null, null, finding.Message)], cancellation);
        return finding with { Action = FindingAction.Acknowledged };
    }

    private async ValueTask<StoreFinding?> TellAsync((StoreFinding Finding, string Place)? taken, FolderNode node, CancellationToken cancellation)
    {
        if (taken is not var (finding, place))
            return null;
        var done = finding with { Action = FindingAction.Quarantined, Message = $"{finding.Message} It is in '{place}' now." };
        if (node.Above(FolderRole.Pipeline) is not { } pipeline || pipeline == node)
            return done;
        try
        {
            await new FolderHistory(root, files).AppendAsync(pipeline.Path,
                [HistoryLog.Describe(time, CheckpointEvents.Repaired, finding.Pipeline!, finding.Run, finding.Name, finding.Step, $"{finding.Kind}, moved to '{place}'")], cancellation);
            return done;
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            return done with { Message = $"{done.Message} The history could not be written: {e.Message}" };
        }
    }

    // Null where it is gone, or where a link stands in its path now.
    private FolderNode? Locate(string path)
    {
        var node = new FolderNode(null, FolderRole.Store, root);
        foreach (var name in Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar))
        {
            if (node.Role >= FolderRole.History || (node.Parent is not null && files.Status(node.Path) is not { Type: EntryType.Folder }))
                return null;
            node = new FolderNode(node, node.RoleOf(name), Path.Join(node.Path, name));
        }
        return node;
    }

    private async ValueTask<DirectoryHandle> LockAsync(string folder, CancellationToken cancellation)
    {
        var handle = files.OpenDirectory(folder);
        try
        {
            return await handle.LockAsync(LockPatience, cancellation) == LockResult.Busy ? throw new IOException($"other processes have kept the stage busy for {LockPatience.TotalSeconds:0} seconds") : handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private async ValueTask<Lease> LeaseAsync(FolderNode node, string path, CancellationToken cancellation)
    {
        var (lease, holder) = await new FolderLeases(root, files, time).TryTakeAsync(path, new LeaseName(node.NameOf(FolderRole.Pipeline) ?? "", null, null), LeaseHolder.Self(time), null, cancellation);
        return lease ?? throw CheckpointErrors.RepairBusy(node.Path, root, holder);
    }

    private void Flush(string folder)
    {
        using var handle = files.OpenDirectory(folder);
        handle.Flush();
    }
}
