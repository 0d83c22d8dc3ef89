using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>Finds the files that a parameter names.</summary>
internal static class FilePaths
{
    /// <summary>The file of exactly this name, else those that fit it as a pattern.</summary>
    /// <exception cref="ArgumentException">There is none: a stage must not vouch for files that nobody looks at.</exception>
    /// <exception cref="ItemNotFoundException">There is none by a name that is no pattern.</exception>
    public static IEnumerable<string> ResolveFiles(this PSCmdlet command, string path)
    {
        var literal = command.GetUnresolvedProviderPathFromPSPath(path);
        if (Path.Exists(literal))
            return [literal];
        var found = command.GetResolvedProviderPathFromPSPath(path, out _);
        return found.Count > 0 ? found : throw new ArgumentException($"No file fits '{path}'.");
    }
}
