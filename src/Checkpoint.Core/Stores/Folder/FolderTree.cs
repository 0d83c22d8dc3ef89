namespace Checkpoint;

/// <summary>Makes and removes the folders around stages.</summary>
internal static class FolderTree
{
    /// <summary>Creates a folder and what is missing above it; each new entry is flushed, so that what is saved in it can be found after a loss of power.</summary>
    public static void Create(FileSystem files, string path)
    {
        if (files.DirectoryExists(path))
            return;
        var parent = Path.GetDirectoryName(path) ?? throw new DirectoryNotFoundException($"There is no '{path}'.");
        Create(files, parent);
        files.CreateDirectory(path);
        using var above = files.OpenDirectory(parent);
        above.Flush();
    }

    /// <summary>Removes a folder and those above it as far as they are empty, but neither the root nor anything outside it.</summary>
    public static void RemoveEmpty(FileSystem files, string path, string root)
    {
        while (path.Length > root.Length && files.TryDeleteEmptyDirectory(path))
        {
            path = Path.GetDirectoryName(path)!;
            try
            {
                using var above = files.OpenDirectory(path);
                above.Flush();
            }
            catch (DirectoryNotFoundException)
            {
                // Another process removes the same folders.
            }
        }
    }
}
