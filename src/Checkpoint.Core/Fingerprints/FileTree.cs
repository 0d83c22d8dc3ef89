using System.IO.Enumeration;

namespace Checkpoint;

/// <summary>The files of a folder.</summary>
internal static class FileTree
{
    private static readonly EnumerationOptions All = new() { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = true };

    /// <summary>The full paths of the files in a folder and those below it. As in Get-ChildItem -Recurse, links to folders are not followed: they may lead round in a circle.</summary>
    /// <exception cref="UnreadableFileException">A folder cannot be listed.</exception>
    public static List<string> Files(string folder, CancellationToken cancellation) => UnreadableFileException.Guard(folder, () =>
    {
        var files = new List<string>();
        foreach (var path in new FileSystemEnumerable<string>(folder, static (ref FileSystemEntry e) => e.ToFullPath(), All)
        {
            ShouldIncludePredicate = static (ref FileSystemEntry e) => !e.IsDirectory,
            ShouldRecursePredicate = static (ref FileSystemEntry e) => (e.Attributes & FileAttributes.ReparsePoint) == 0,
        })
        {
            cancellation.ThrowIfCancellationRequested();
            files.Add(path);
        }
        return files;
    });
}
