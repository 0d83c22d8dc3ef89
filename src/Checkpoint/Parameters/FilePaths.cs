using System.Management.Automation;

namespace Checkpoint;

/// <summary>Finds the files that a parameter names.</summary>
internal static class FilePaths
{
    /// <summary>The file of exactly this name, else those that fit it as a pattern.</summary>
    /// <exception cref="InvalidArgumentException">There is none: a stage must not vouch for files that nobody looks at.</exception>
    /// <exception cref="UnreadableFileException">There is none by a name that is no pattern, or no such place.</exception>
    public static IEnumerable<string> ResolveFiles(this PSCmdlet command, string path)
    {
        var literal = command.ResolveFile(path);
        if (Path.Exists(literal))
            return [literal];
        var found = Resolving(path, () => command.GetResolvedProviderPathFromPSPath(path, out _));
        return found.Count > 0 ? found : throw new InvalidArgumentException($"No file fits '{path}'.");
    }

    /// <summary>The full path of exactly this name, be there such a file or not.</summary>
    /// <exception cref="InvalidArgumentException">The name is empty, which to PowerShell is the current folder.</exception>
    /// <exception cref="UnreadableFileException">There is no such place.</exception>
    public static string ResolveFile(this PSCmdlet command, string path) => string.IsNullOrEmpty(path) ? throw new InvalidArgumentException("The path of a file is empty.") : Resolving(path, () =>
    {
        var full = command.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
        return provider.Name == "FileSystem" ? Path.GetFullPath(full) : throw new IOException($"'{path}' is a path of the provider {provider.Name}, not of a file system.");
    });

    // Drives, providers and items that are not there, and texts that no path can be.
    private static T Resolving<T>(string path, Func<T> resolve)
    {
        try
        {
            return resolve();
        }
        catch (Exception e) when (e is SessionStateException or ArgumentException or InvalidOperationException or IOException)
        {
            throw new UnreadableFileException(path, e);
        }
    }
}
