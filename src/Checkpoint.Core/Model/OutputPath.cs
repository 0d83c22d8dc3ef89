namespace Checkpoint;

/// <summary>How an output file is named in a record: relative to the folder around the store where it lies below that, so that both can move together; else in full, as where there is no such folder.</summary>
internal static class OutputPath
{
    public static string Shorten(string fullPath, string root)
    {
        if (root.Length == 0)
            return fullPath;
        var relative = Path.GetRelativePath(root, fullPath);
        return Path.IsPathRooted(relative) || relative == ".." || relative.StartsWith(".." + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? fullPath
            : relative.Replace(Path.DirectorySeparatorChar, '/');
    }

    public static string Expand(string path, string root) => root.Length == 0 ? path : Path.GetFullPath(path, root);
}
