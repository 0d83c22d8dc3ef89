namespace Checkpoint;

/// <summary>Where a repair of a folder store puts what is damaged: <c>~quarantine/&lt;name&gt;/</c> and the path that it had. Nothing in it is ever read, overwritten or removed.</summary>
/// <param name="root">The store's folder.</param>
/// <param name="files">The file system.</param>
/// <param name="name">The name of the repair.</param>
internal sealed class FolderQuarantine(string root, FileSystem files, string name)
{
    private const string FolderName = "~quarantine";

    private readonly string _folder = Path.Join(root, FolderName, name);

    /// <summary>Moves a file, or a link or pipe itself, durably.</summary>
    /// <returns>Where it is now, relative to the store.</returns>
    public string Take(string path)
    {
        var target = Prepare(path);
        for (var copy = 2; !files.TryMove(path, target); copy++)
            target = $"{Prepare(path)}~{copy}";
        Flush(Path.GetDirectoryName(target)!);
        Flush(Path.GetDirectoryName(path)!);
        return Path.GetRelativePath(root, target);
    }

    /// <summary>Where something with a path in the store goes; its folder is made.</summary>
    /// <exception cref="IOException">Somebody put something else in the quarantine's place.</exception>
    public string Prepare(string path)
    {
        // By a link, files would leave the store.
        if (files.Status(Path.Join(root, FolderName)) is { Type: not EntryType.Folder })
            throw new IOException($"'{Path.Join(root, FolderName)}' is no folder");
        var target = Path.Join(_folder, Path.GetRelativePath(root, path));
        var folder = Path.GetDirectoryName(target)!;
        FolderTree.FlushAbove(files, folder, FolderTree.Create(files, folder));
        return target;
    }

    private void Flush(string folder)
    {
        using var handle = files.OpenDirectory(folder);
        handle.Flush();
    }
}
