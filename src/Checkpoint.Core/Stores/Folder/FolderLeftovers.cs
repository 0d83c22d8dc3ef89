using System.Text;

namespace Checkpoint;

/// <summary>Removes what saves left that were cut off, once their writers are surely dead.</summary>
internal sealed class FolderLeftovers(FileSystem files, string folder)
{
    // A file is created and then locked; no process is that slow between the two.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    // On a share that needs milliseconds for each, still less than a second of the writers' lock.
    private const int MaxLooks = 100;

    /// <summary>Tidies a stage's folder after a save, by its writer's lock; what cannot be removed now stays for later.</summary>
    /// <param name="listing">The folder before the save.</param>
    /// <param name="saved">The step that was saved: no other payload of it is anybody's now.</param>
    /// <param name="payload">The payload of the save, or null.</param>
    /// <param name="thoroughly">Whether to read records beside payloads: an overwrite that was cut off may have left one whose record no longer names it.</param>
    /// <param name="cancellation">Ends the looking, without an error.</param>
    public void RemoveAfterSave(StageFolder listing, long saved, string? payload, bool thoroughly, CancellationToken cancellation)
    {
        try
        {
            foreach (var name in listing.Temporaries)
                RemoveIfDead(name);
            foreach (var name in listing.PayloadsOf(saved).Where(n => n != payload))
                Remove(name);
            foreach (var (step, name) in listing.DoubtfulPayloads().Concat(thoroughly ? Slice(listing.Payloads) : []).TakeWhile(_ => !cancellation.IsCancellationRequested))
            {
                if (step != saved && !IsReferenced(step, name))
                    RemoveIfDead(name);
            }
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            // The save itself is done and durable; tidying is tried again by the next.
        }
    }

    /// <summary>Tidies a folder of small files after one of them was written; what cannot be removed now stays for later.</summary>
    public void RemoveTemporaries()
    {
        try
        {
            foreach (var name in StageFolder.List(files, folder).Temporaries)
                RemoveIfDead(name);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            // What was written is durable.
        }
    }

    /// <summary>Removes what dead writers left in a folder, whatever its age; for clearing.</summary>
    public void RemoveAll(StageFolder listing)
    {
        foreach (var name in listing.Temporaries)
            Remove(name);
        foreach (var (step, name) in listing.DoubtfulPayloads())
        {
            if (!IsReferenced(step, name))
                Remove(name);
        }
    }

    /// <summary>Whether the record of a step names a payload.</summary>
    public bool IsReferenced(long step, string name)
    {
        try
        {
            // Also in a damaged record the name counts: what it referred to may be wanted for a rescue.
            return files.ReadRecord(Path.Join(folder, FolderLayout.RecordName(step))) is { } bytes && bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(name)) >= 0;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }

    /// <summary>Whether the record of a step is there and damaged: nobody can tell what it named.</summary>
    public bool IsDamaged(long step)
    {
        try
        {
            if (files.ReadRecord(Path.Join(folder, FolderLayout.RecordName(step))) is { } bytes)
                SealedJson.Verify(bytes);
            return false;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }

    // Of many payloads some, others each time, beginning anywhere: no process need remember where the last one stopped.
    private static IEnumerable<(long Step, string Name)> Slice(IReadOnlyList<(long Step, string Name)> payloads)
    {
        var start = payloads.Count <= MaxLooks ? 0 : Random.Shared.Next(payloads.Count);
        return Enumerable.Range(start, Math.Min(payloads.Count, MaxLooks)).Select(i => payloads[i % payloads.Count]);
    }

    private void RemoveIfDead(string name)
    {
        if (files.Stamp(Path.Join(folder, name)) is { } leftover && files.Stamp(folder) is { } now && (now.Time - leftover.Time).Duration() > Fresh)
            Remove(name);
    }

    private void Remove(string name) => files.TryDeleteAbandoned(Path.Join(folder, name));
}
