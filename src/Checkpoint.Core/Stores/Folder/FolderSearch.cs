namespace Checkpoint;

/// <summary>Finds the folders of pipelines, runs and stages by their names.</summary>
/// <param name="root">The store's folder.</param>
/// <param name="files">The file system.</param>
internal sealed class FolderSearch(string root, FileSystem files)
{
    /// <summary>The names of the folders that can hold what is meant, in their order.</summary>
    /// <param name="parent">The folder above them.</param>
    /// <param name="names">What is meant.</param>
    public IEnumerable<string> Folders(string parent, NamePattern names)
    {
        try
        {
            // What is named is refused where it is a link; where all are meant, a link is foreign as any other thing that no writer made.
            if (names.Literal is { } literal)
            {
                var named = FolderLayout.Escape(literal);
                FileSystem.RefuseLinks(Path.Join(parent, named), root);
                return [named];
            }
            if (FileSystem.IsLink(parent))
                return [];
            var folders = new List<string>();
            files.Scan(parent, (name, isDirectory) =>
            {
                if (isDirectory && FolderLayout.FoundName(name.ToString()) is { } folder)
                    folders.Add(folder);
            });
            // The key decides where it can be had from the folder's name; else the record will. A folder that is no name's is not ours.
            return folders.Distinct().Select(f => (Folder: f, Key: FolderLayout.Unescape(f)))
                .Where(f => f.Key is not null ? names.IsAny || names.IsMatch(f.Key) : FolderLayout.IsCut(f.Folder))
                .Where(f => !FileSystem.IsLink(Path.Join(parent, f.Folder)))
                .OrderBy(f => f.Key ?? f.Folder, StringComparer.Ordinal)
                .Select(f => f.Folder);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, root, "Listing checkpoints", parent);
        }
    }

    /// <summary>Whether a name is meant. The folder of a literal name was found by that name; a name that nothing tells any more fits only what means every name.</summary>
    public static bool Fits(NamePattern pattern, string? name) => pattern.Literal is not null || pattern.IsAny || (name is not null && pattern.IsMatch(name));
}
