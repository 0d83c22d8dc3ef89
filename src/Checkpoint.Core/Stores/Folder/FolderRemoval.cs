namespace Checkpoint;

/// <summary>Removes checkpoints of one stage: records first, payloads when no record can come back, then the folder if nothing else is in it.</summary>
internal sealed class FolderRemoval(string root, FileSystem files, string folder)
{
    /// <returns>How many records were removed.</returns>
    public int Remove(IReadOnlyCollection<long>? steps, CancellationToken cancellation)
    {
        var listing = StageFolder.List(files, folder);
        var all = steps is null;
        var wanted = steps?.ToHashSet();
        var doomed = listing.Steps.Where(s => wanted is null || wanted.Contains(s)).ToList();
        if (doomed.Count == 0 && !all)
            return 0;
        var leftovers = new FolderLeftovers(files, folder);
        var payloads = doomed.SelectMany(step => listing.PayloadsOf(step).Select(name => (Name: name, IsReferenced: leftovers.IsReferenced(step, name)))).ToList();
        try
        {
            if (doomed.Count > 0)
                RemoveRecords(doomed, cancellation);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process cleared the same stage.
            return 0;
        }

        foreach (var payload in payloads.Where(p => p.IsReferenced))
            files.Delete(Path.Join(folder, payload.Name));
        if (all || payloads.Any(p => !p.IsReferenced))
            RemoveLeftovers(leftovers);
        if (doomed.Count == listing.Steps.Count && files.DirectoryExists(folder))
            FolderTree.RemoveEmpty(files, folder, root);
        return doomed.Count;
    }

    // By the writers' lock: what else lies there may be the work of a save that is under way.
    private void RemoveLeftovers(FolderLeftovers leftovers)
    {
        try
        {
            using var handle = files.OpenDirectory(folder);
            if (handle.TryLock() == LockResult.Taken)
                leftovers.RemoveAll(StageFolder.List(files, folder));
        }
        catch (DirectoryNotFoundException)
        {
            // Another process cleared the same stage.
        }
    }

    // What was cleared must not be back after a loss of power, least of all a record whose payload is gone: so the folder is flushed between the two.
    private void RemoveRecords(List<long> steps, CancellationToken cancellation)
    {
        using var handle = files.OpenDirectory(folder);
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
