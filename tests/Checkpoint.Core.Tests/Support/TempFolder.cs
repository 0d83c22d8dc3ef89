namespace Checkpoint.Tests;

/// <summary>A folder of its own for one test, gone afterwards.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("checkpoint-").FullName;

    /// <summary>Every file below, by its path relative to this folder with slashes.</summary>
    public SortedDictionary<string, byte[]> Files()
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories))
            files[Relative(file)] = File.ReadAllBytes(file);
        return files;
    }

    /// <summary>Every folder below, by its path relative to this folder with slashes.</summary>
    public IReadOnlyList<string> Folders() =>
        [.. Directory.EnumerateDirectories(Path, "*", SearchOption.AllDirectories).Select(Relative).Order(StringComparer.Ordinal)];

    /// <summary>Writes a file, and the folders it needs.</summary>
    public string Write(string relative, string text)
    {
        var path = System.IO.Path.Join(Path, relative);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private string Relative(string path) => System.IO.Path.GetRelativePath(Path, path).Replace(System.IO.Path.DirectorySeparatorChar, '/');
}
