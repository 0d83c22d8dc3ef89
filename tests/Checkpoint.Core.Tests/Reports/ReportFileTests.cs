namespace Checkpoint.Tests;

public sealed class ReportFileTests : IDisposable
{
    private readonly TempFolder _temp = new();

    [Theory]
    [InlineData("a.html", ReportFormat.Html)]
    [InlineData("a.HTM", ReportFormat.Html)]
    [InlineData("a.md", ReportFormat.Markdown)]
    [InlineData("a.b.Markdown", ReportFormat.Markdown)]
    [InlineData("a.json", ReportFormat.Json)]
    [InlineData("a.txt", null)]
    [InlineData("html", null)]
    public void A_file_says_by_its_ending_what_it_is(string name, ReportFormat? format) => Assert.Equal(format, ReportFile.FormatOf(name));

    [Fact]
    public async Task It_replaces_the_file_that_was_there_and_leaves_nothing_beside_it()
    {
        var path = Path.Join(_temp.Path, "r.md");
        await File.WriteAllTextAsync(path, "old");
        await ReportFile.WriteAsync(Reported.Report(), ReportFormat.Markdown, path, default);
        Assert.StartsWith("# Checkpoints", await File.ReadAllTextAsync(path), StringComparison.Ordinal);
        Assert.Equal([path], Directory.EnumerateFileSystemEntries(_temp.Path));
    }

    [Fact]
    public async Task Where_it_cannot_be_written_it_says_so_and_what_was_there_stays()
    {
        var missing = Path.Join(_temp.Path, "no", "r.md");
        Assert.Equal(missing, (await Assert.ThrowsAsync<UnwritableFileException>(async () => await ReportFile.WriteAsync(Reported.Report(), ReportFormat.Json, missing, default))).Path);

        var folder = Directory.CreateDirectory(Path.Join(_temp.Path, "folder.html"));
        await Assert.ThrowsAsync<UnwritableFileException>(async () => await ReportFile.WriteAsync(Reported.Report(), ReportFormat.Html, folder.FullName, default));
        Assert.Equal([folder.FullName], Directory.EnumerateFileSystemEntries(_temp.Path));
    }

    [Fact]
    public async Task Where_it_is_stopped_what_was_there_stays()
    {
        var path = Path.Join(_temp.Path, "r.json");
        await File.WriteAllTextAsync(path, "old");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await ReportFile.WriteAsync(Reported.Report(), ReportFormat.Json, path, new CancellationToken(canceled: true)));
        Assert.Equal("old", await File.ReadAllTextAsync(path));
        Assert.Equal([path], Directory.EnumerateFileSystemEntries(_temp.Path));
    }

    public void Dispose() => _temp.Dispose();
}
