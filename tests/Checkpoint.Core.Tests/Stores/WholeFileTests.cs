namespace Checkpoint.Tests;

/// <summary>What a crash left beside a file that is replaced whole is removed by a later write once it is surely dead, and nothing else is.</summary>
public sealed class WholeFileTests : IDisposable
{
    private static readonly DateTime LongAgo = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly TempFolder _temp = new();
    private readonly TestFileSystem _files = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void A_dead_temporary_file_is_removed_by_a_later_write()
    {
        var dead = Leave(FolderLayout.NewTemporaryName());
        Write("new");
        Assert.False(File.Exists(dead));
        Assert.Equal("new", File.ReadAllText(Path.Join(_temp.Path, "api.json")));
    }

    [Fact]
    public void One_that_is_being_written_stays()
    {
        var name = FolderLayout.NewTemporaryName();
        using var writer = FileSystem.Current.CreateFile(Path.Join(_temp.Path, name));
        if (!OperatingSystem.IsWindows())
            File.SetLastWriteTimeUtc(Path.Join(_temp.Path, name), LongAgo);
        Write("new");
        Assert.True(File.Exists(Path.Join(_temp.Path, name)));
    }

    [Fact]
    public void One_that_was_made_just_now_stays_and_so_does_what_is_not_ours()
    {
        var young = Leave(FolderLayout.NewTemporaryName());
        _files.StampAnswer = new FileStamp(LongAgo, 4, false);
        var foreign = Leave("~notes.tmp");
        Write("new");
        Assert.True(File.Exists(young));
        Assert.True(File.Exists(foreign));
    }

    [Theory]
    [InlineData(FileVerb.Scan)]
    [InlineData(FileVerb.Stamp)]
    [InlineData(FileVerb.DeleteAbandoned)]
    public void What_cannot_be_removed_does_not_hinder_the_write(FileVerb verb)
    {
        var dead = Leave(FolderLayout.NewTemporaryName());
        _files.Before = o => _ = o.Verb == verb ? throw Fault.AccessDenied.Make() : 0;
        Write("new");
        Assert.True(File.Exists(dead));
        Assert.Equal("new", File.ReadAllText(Path.Join(_temp.Path, "api.json")));
    }

    private void Write(string text) => WholeFile.Replace(_files, _temp.Path, "api.json", System.Text.Encoding.UTF8.GetBytes(text));

    private string Leave(string name)
    {
        var path = Path.Join(_temp.Path, name);
        File.WriteAllText(path, "left");
        File.SetLastWriteTimeUtc(path, LongAgo);
        return path;
    }
}
