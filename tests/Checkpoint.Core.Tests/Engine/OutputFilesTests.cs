namespace Checkpoint.Tests;

public sealed class OutputFilesTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void A_file_is_described_by_its_path_size_time_and_content()
    {
        var path = _temp.Write("a", "test");
        var time = new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc).AddTicks(1000);
        File.SetLastWriteTimeUtc(path, time);
        var file = OutputFiles.Describe(path, default);
        Assert.Equal((path, 4L, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"), (file.Path, file.Size, file.Sha256));
        Assert.Equal(File.GetLastWriteTimeUtc(path), file.ModifiedAt.UtcDateTime);
        Assert.Equal(TimeSpan.Zero, file.ModifiedAt.Offset);
        Assert.Equal(path, file.ToString());
        Assert.Null(OutputFiles.FindChange([file], default));
    }

    [Fact]
    public void A_file_that_is_not_there_or_a_folder_cannot_be_described()
    {
        Assert.ThrowsAny<IOException>(() => OutputFiles.Describe(Path.Join(_temp.Path, "none"), default));
        Assert.ThrowsAny<IOException>(() => OutputFiles.Describe(_temp.Path, default));
        // The system would be asked for U+FFFD in its place.
        Assert.Contains("surrogate", Assert.ThrowsAny<IOException>(() => OutputFiles.Describe(_temp.Write("a\uFFFD", "").Replace('\uFFFD', '\uD800'), default)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_files_have_no_change() => Assert.Null(OutputFiles.FindChange([], default));

    [Fact]
    public void The_first_change_is_named()
    {
        var files = new[] { "a", "b", "c" }.Select(n => OutputFiles.Describe(_temp.Write(n, n), default)).ToList();
        File.Delete(files[1].Path);
        File.Delete(files[2].Path);
        Assert.Contains(files[1].Path, OutputFiles.FindChange(files, default), StringComparison.Ordinal);
    }

    [Fact]
    public void Hashing_can_be_cancelled()
    {
        var path = _temp.Write("a", new string('x', 1000));
        Assert.ThrowsAny<OperationCanceledException>(() => OutputFiles.Describe(path, new CancellationToken(true)));
        var file = OutputFiles.Describe(path, default);
        File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.ThrowsAny<OperationCanceledException>(() => OutputFiles.FindChange([file], new CancellationToken(true)));
    }
}
