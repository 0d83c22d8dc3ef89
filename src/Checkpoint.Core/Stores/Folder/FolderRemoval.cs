namespace Checkpoint;

/// <summary>Removes checkpoints of one stage: records first, payloads when no record can come back, then the folder if nothing else is in it.</summary>
internal sealed class FolderRemoval(string root, FileSystem files, TimeProvider time, StageId stage, string folder)
{
    // As long as a save waits for the other writers of a stage.
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);

    private readonly FolderLeftovers _leftovers = new(files, folder);

    /// <returns>How many records were removed.</returns>
    public async ValueTask<int> RemoveAsync(IReadOnlyCollection<DoomedStep>? steps, LeaseFence? held, CancellationToken cancellation)
    {
        try
        {
            var (removed, isLast) = (0, false);
            var hasItems = steps is null && StageFolder.List(files, folder).Items.Count > 0;
            using (var handle = files.OpenDirectory(folder))
            {
                // Who changes the key of a record puts another in its place, which must not be one that was removed meanwhile. And what was judged must be what is
                // removed: between the second look at it and its end nobody may save over it.
                var locked = await handle.LockAsync(LockPatience, cancellation);
                if (locked == LockResult.Busy && steps?.Any(s => s.Revision is not null) == true)
                    throw new IOException($"other processes have kept the stage busy for {LockPatience.TotalSeconds:0} seconds");
                // The lock first and the lease then, as a save does.
                using var lease = hasItems || held is not null ? await LeaseAsync(held, cancellation) : null;
                (removed, isLast) = Remove(handle, locked == LockResult.Taken, hasItems, steps, cancellation);
            }
            if (isLast)
                FolderTree.RemoveEmpty(files, folder, root);
            return removed;
        }
        catch (DirectoryNotFoundException)
        {
            // It never was, or another process cleared the same stage.
            return 0;
        }
    }

    private (int Removed, bool IsLast) Remove(DirectoryHandle handle, bool isLocked, bool hasItems, IReadOnlyCollection<DoomedStep>? steps, CancellationToken cancellation)
    {
        var listing = StageFolder.List(files, folder);
        var doomed = Doomed(listing, steps, cancellation);
        if (doomed.Count == 0 && (steps is not null || listing.Steps.Count > 0))
            return (0, false);
        // The journal goes first: were the clearing cut off between the two, a stage that is not complete would be completed without an item being run.
        // A journal that came to be since then is another's work, begun after this clearing.
        if (hasItems)
            RemoveItems(handle, listing.Items);
        var payloads = doomed.SelectMany(step => listing.PayloadsOf(step).Select(name => (Name: name, IsReferenced: _leftovers.IsReferenced(step, name)))).ToList();
        if (doomed.Count > 0)
            RemoveRecords(handle, doomed, cancellation);
        foreach (var payload in payloads.Where(p => p.IsReferenced))
            files.Delete(Path.Join(folder, payload.Name));
        // By the writers' lock: what else lies there may be the work of a save that is under way.
        if ((steps is null || payloads.Any(p => !p.IsReferenced)) && (isLocked || handle.TryLock() == LockResult.Taken))
            _leftovers.RemoveAll(StageFolder.List(files, folder));
        return (doomed.Count, doomed.Count == listing.Steps.Count);
    }

    // Whoever is at work on the items would go on writing to a file that nobody finds again.
    private async ValueTask<IDisposable> LeaseAsync(LeaseFence? held, CancellationToken cancellation)
    {
        var leases = new FolderLeases(root, files, time);
        if (held is not null)
            return await leases.HoldAsync(held, cancellation);
        var (lease, holder) = await leases.TryTakeAsync(FolderLayout.LeasePath(folder), new LeaseName(stage), LeaseHolder.Self(time), null, cancellation);
        return lease ?? throw CheckpointErrors.LeaseHeld(new LeaseName(stage), root, holder);
    }

    private void RemoveItems(DirectoryHandle handle, List<string> names)
    {
        foreach (var name in names.OrderBy(n => n == FolderLayout.ItemsName ? 0 : 1))
            files.Delete(Path.Join(folder, name));
        handle.Flush();
    }

    // Newest first, as the listing. Where the folder is a copy of another stage's, what it holds was not written for this one.
    private List<long> Doomed(StageFolder listing, IReadOnlyCollection<DoomedStep>? steps, CancellationToken cancellation)
    {
        var records = new RecordReader(root, files);
        var wanted = steps?.ToLookup(s => s.Step, s => s.Revision);
        return listing.Steps.Where(step => (wanted is null || wanted[step].Any(revision => revision is null || IsStill(step, revision, cancellation)))
            && !records.IsOfAnotherStage(folder, step, cancellation)).ToList();
    }

    private bool IsStill(long step, string revision, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            return files.ReadRecord(Path.Join(folder, FolderLayout.RecordName(step))) is { } bytes && SealedJson.ChecksumOf(bytes) == revision;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    // What was cleared must not be back after a loss of power, least of all a record whose payload is gone: so the folder is flushed between the two.
    private void RemoveRecords(DirectoryHandle handle, List<long> steps, CancellationToken cancellation)
    {
        try
        {
            foreach (var step in steps.OrderBy(s => s))
            {
                cancellation.ThrowIfCancellationRequested();
                // The newest goes last, and when the others are surely gone: cut off before that, a clearing leaves the latest as it was, never an older one.
                if (step == steps[0] && steps.Count > 1)
                    handle.Flush();
                files.Delete(Path.Join(folder, FolderLayout.RecordName(step)));
            }
        }
        finally
        {
            handle.Flush();
        }
    }
}
