using System.Globalization;

namespace Checkpoint;

/// <summary>A place in a script.</summary>
/// <param name="File">The script.</param>
/// <param name="Line">The line, from 1 up.</param>
/// <param name="Column">The column, from 1 up.</param>
internal readonly record struct ScriptPlace(string File, int Line, int Column)
{
    /// <summary>The place with slashes below a folder, or null where it is not below it.</summary>
    public ScriptPlace? RelativeTo(string? folder)
    {
        if (string.IsNullOrEmpty(folder) || !Path.IsPathFullyQualified(folder) || !Path.IsPathFullyQualified(File))
            return null;
        var relative = Path.GetRelativePath(folder, File).Replace(Path.DirectorySeparatorChar, '/');
        return relative == ".." || relative.StartsWith("../", StringComparison.Ordinal) || Path.IsPathRooted(relative) ? null : this with { File = relative };
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}");
}
