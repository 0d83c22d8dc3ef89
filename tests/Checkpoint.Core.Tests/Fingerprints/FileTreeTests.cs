namespace Checkpoint.Tests;

public sealed class FileTreeTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void Every_file_below_a_folder_is_found_hidden_ones_too()
    {
        foreach (var file in new[] { "a", ".hidden", "sub/b", "sub/.deep/c", "sub/deeper/still/d" })
            _temp.Write(file, "");
        Directory.CreateDirectory(Path.Join(_temp.Path, "empty"));
        Assert.Equal([".hidden", "a", "sub/.deep/c", "sub/b", "sub/deeper/still/d"], Found());
    }

    [Fact]
    public void A_folder_that_is_not_there_is_an_error() =>
        Assert.Throws<UnreadableFileException>(() => FileTree.Files(Path.Join(_temp.Path, "none"), default));

    [UnixFact]
    public void Links_to_folders_are_not_followed_for_they_may_lead_in_a_circle()
    {
        _temp.Write("a/file", "");
        Directory.CreateSymbolicLink(Path.Join(_temp.Path, "a", "circle"), _temp.Path);
        File.CreateSymbolicLink(Path.Join(_temp.Path, "filelink"), Path.Join(_temp.Path, "a", "file"));
        Assert.Equal(["a/file", "filelink"], Found());
    }

    private IEnumerable<string> Found() =>
        FileTree.Files(_temp.Path, default).Select(f => Path.GetRelativePath(_temp.Path, f).Replace(Path.DirectorySeparatorChar, '/')).Order(StringComparer.Ordinal);
}
