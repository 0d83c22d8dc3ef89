using System.IO.Enumeration;

namespace Checkpoint;

/// <summary>The files of a folder.</summary>
internal static class FileTree
{
    private static readonly EnumerationOptions All = new() { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = true };

    /// <summary>The full paths of the files in a folder and those below it. As in Get-ChildItem -Recurse, links to folders are not followed: they may lead round in a circle.</summary>
    public static IEnumerable<string> Files(string folder) => new FileSystemEnumerable<string>(folder, static (ref FileSystemEntry e) => e.ToFullPath(), All)
    {
        ShouldIncludePredicate = static (ref FileSystemEntry e) => !e.IsDirectory,
        ShouldRecursePredicate = static (ref FileSystemEntry e) => (e.Attributes & FileAttributes.ReparsePoint) == 0,
    };
}
