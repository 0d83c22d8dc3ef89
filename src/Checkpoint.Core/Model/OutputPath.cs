namespace Checkpoint;

/// <summary>How an output file is named in a record: relative to the folder around the store where it lies below that, so that both can move together; else in full.</summary>
internal static class OutputPath
{
    public static string Shorten(string fullPath, string root)
    {
        var relative = Path.GetRelativePath(root, fullPath);
        return Path.IsPathRooted(relative) || relative == ".." || relative.StartsWith(".." + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? fullPath
            : relative.Replace(Path.DirectorySeparatorChar, '/');
    }

    public static string Expand(string path, string root) => Path.GetFullPath(path, root);
}
