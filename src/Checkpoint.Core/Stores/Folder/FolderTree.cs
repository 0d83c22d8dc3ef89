namespace Checkpoint;

/// <summary>Makes and removes the folders around stages.</summary>
internal static class FolderTree
{
    /// <summary>Creates a folder and what is missing above it.</summary>
    /// <returns>The nearest folder that was there before.</returns>
    public static string Create(FileSystem files, string path)
    {
        if (files.DirectoryExists(path))
            return path;
        var parent = Path.GetDirectoryName(path) ?? throw new DirectoryNotFoundException($"There is no '{path}'.");
        var existing = Create(files, parent);
        files.CreateDirectory(path);
        return existing;
    }

    /// <summary>Flushes the folders above a folder, so that what is saved in it can be found after a loss of power, whoever made them.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="path">The folder.</param>
    /// <param name="top">The last one to flush.</param>
    public static void FlushAbove(FileSystem files, string path, string top)
    {
        while (path.Length > top.Length && Path.GetDirectoryName(path) is { } parent)
        {
            try
            {
                using var above = files.OpenDirectory(parent);
                above.Flush();
            }
            catch (UnauthorizedAccessException)
            {
                // This user may pass through the folder and not open it, and so cannot flush it.
            }
            path = parent;
        }
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
            catch (Exception e) when (e is DirectoryNotFoundException or UnauthorizedAccessException)
            {
                // Another process removes the same folders; or this user may pass through and not open, and so cannot flush.
            }
        }
    }
}
