namespace Checkpoint;

/// <summary>Removes what saves left that were cut off, once their writers are surely dead.</summary>
internal sealed class FolderLeftovers(FileSystem files, string folder)
{
    // A file is created and then locked; no process is that slow between the two.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    /// <summary>Tidies a stage's folder after a save, best by its writer's lock; what cannot be removed now stays for later.</summary>
    /// <param name="listing">The folder before the save, or null where it was not listed: then only the overwritten step is looked at.</param>
    /// <param name="overwritten">The step that was overwritten, whose old payload is nobody's now.</param>
    /// <param name="payload">The payload of the save.</param>
    /// <param name="locked">Whether locks work here; without them nobody can be known to be dead.</param>
    public void RemoveAfterSave(StageFolder? listing, long? overwritten, string? payload, bool locked)
    {
        if (!locked || (listing is null && overwritten is null))
            return;
        try
        {
            listing ??= StageFolder.List(files, folder);
            foreach (var name in listing.Temporaries)
                RemoveIfDead(name);
            foreach (var (step, name) in listing.DoubtfulPayloads())
            {
                if (name != payload && !IsReferenced(step, name))
                    RemoveIfDead(name);
            }
            if (overwritten is { } old)
            {
                foreach (var name in listing.PayloadsOf(old).Where(n => n != payload))
                    RemoveIfUnlocked(name);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The save itself is done and durable; tidying is tried again by the next.
        }
    }

    /// <summary>Removes what dead writers left in a folder, whatever its age; for clearing.</summary>
    public void RemoveAll(StageFolder listing)
    {
        foreach (var name in listing.Temporaries)
            RemoveIfUnlocked(name);
        foreach (var (step, name) in listing.DoubtfulPayloads())
        {
            if (!IsReferenced(step, name))
                RemoveIfUnlocked(name);
        }
    }

    private bool IsReferenced(long step, string name)
    {
        var path = Path.Join(folder, FolderLayout.RecordName(step));
        using var record = files.OpenRead(path);
        if (record is null)
            return false;
        var length = RandomAccess.GetLength(record);
        if (length > RecordFormat.MaxLength)
            return true;
        var bytes = new byte[length];
        files.Read(record, bytes, 0);
        // Also in a damaged record the name counts: what it referred to may be wanted for a rescue.
        return bytes.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(name)) >= 0;
    }

    private void RemoveIfDead(string name)
    {
        var path = Path.Join(folder, name);
        if (files.Stamp(path) is { } leftover && files.Stamp(folder) is { } now && (now.Time - leftover.Time).Duration() > Fresh)
            RemoveIfUnlocked(name);
    }

    private void RemoveIfUnlocked(string name)
    {
        var path = Path.Join(folder, name);
        if (files.IsAbandoned(path))
            files.Delete(path);
    }
}
