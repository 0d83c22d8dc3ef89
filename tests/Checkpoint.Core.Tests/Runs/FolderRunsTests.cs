namespace Checkpoint.Tests;

public class FolderRunsTests : StoreTest
{
    private static readonly CheckpointRun Run = RunFormatTests.Whole;

    private readonly TestFileSystem _files = new();

    public FolderRunsTests() => Store = new FolderStore(Root, _files);

    private string RunFile => Path.Join(FolderLayout.RunPath(Root, Run.Pipeline, Run.Run), FolderLayout.RunRecordName);

    [Fact]
    public async Task A_run_is_replaced_whole()
    {
        await Store.WriteRunAsync(Run, default);
        await Store.WriteRunAsync(Run with { Attempts = 4 }, default);

        Assert.Equal(4, Assert.Single(await Read()).Run!.Attempts);
        Assert.Equal([FolderLayout.RunRecordName], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(RunFile)!).Select(f => Path.GetFileName(f)));
    }

    [Fact]
    public async Task It_is_flushed_before_it_can_be_seen_and_its_folder_afterwards()
    {
        await Store.WriteRunAsync(Run, default);

        var verbs = _files.Operations.Where(o => o.Verb is FileVerb.Write or FileVerb.Flush or FileVerb.RenameOver or FileVerb.FlushDirectory).Select(o => o.Verb).ToList();
        Assert.Equal([FileVerb.Write, FileVerb.Flush, FileVerb.RenameOver, FileVerb.FlushDirectory], verbs.Take(4));
        Assert.All(verbs.Skip(4), v => Assert.Equal(FileVerb.FlushDirectory, v));
    }

    [Fact]
    public async Task It_says_its_store()
    {
        await Store.WriteRunAsync(Run, default);

        Assert.Equal(Root, Assert.Single(await Read()).Run!.Store);
    }

    [Theory]
    [InlineData(FileVerb.CreateFile)]
    [InlineData(FileVerb.Write)]
    [InlineData(FileVerb.Flush)]
    [InlineData(FileVerb.RenameOver)]
    [InlineData(FileVerb.OpenDirectory)]
    [InlineData(FileVerb.FlushDirectory)]
    public async Task A_fault_is_an_error_that_leaves_a_whole_run(FileVerb verb)
    {
        await Store.WriteRunAsync(Run, default);
        foreach (var fault in Enum.GetValues<Fault>())
        {
            _files.Before = o => _ = o.Verb == verb ? throw fault.Make() : 0;
            var error = await Assert.ThrowsAsync<CheckpointException>(async () => await Store.WriteRunAsync(Run with { Attempts = 9 }, default));
            _files.Before = null;

            Assert.Equal(fault.Kind(), error.Kind);
            Assert.Contains($"'{Run.Run}'", error.Message, StringComparison.Ordinal);
            var found = Assert.Single(await Read()).Run!;
            Assert.True(found.Attempts is 3 or 9);
            Assert.DoesNotContain(Directory.EnumerateFiles(Path.GetDirectoryName(RunFile)!), f => f.EndsWith(FolderLayout.TemporarySuffix, StringComparison.Ordinal));
            await Store.WriteRunAsync(Run, default);
        }
    }

    [Fact]
    public async Task A_folder_that_is_cleared_away_in_between_is_made_again()
    {
        var removals = 0;
        _files.Before = o =>
        {
            if (o.Verb is FileVerb.CreateFile or FileVerb.RenameOver && removals++ < 4 && Directory.Exists(Root))
                Directory.Delete(Root, recursive: true);
        };

        await Store.WriteRunAsync(Run, default);

        Assert.Equal(Run.Run, Assert.Single(await Read()).Run!.Run);
    }

    [Fact]
    public async Task What_a_dead_writer_left_is_removed_by_the_next_and_what_a_living_one_writes_is_not()
    {
        await Store.WriteRunAsync(Run, default);
        var folder = Path.GetDirectoryName(RunFile)!;
        var (dead, living, foreign) = (Path.Join(folder, FolderLayout.NewTemporaryName()), Path.Join(folder, FolderLayout.NewTemporaryName()), Path.Join(folder, "mine.tmp"));
        await File.WriteAllTextAsync(dead, "cut off");
        await File.WriteAllTextAsync(foreign, "");
        using var writer = FileSystem.Current.CreateFile(living);
        File.SetLastWriteTimeUtc(writer, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        foreach (var file in new[] { dead, foreign })
            File.SetLastWriteTimeUtc(file, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        await Store.WriteRunAsync(Run with { Attempts = 4 }, default);

        Assert.Equal([false, true, true], new[] { dead, living, foreign }.Select(File.Exists));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_tidied_is_no_error()
    {
        _files.Before = o => _ = o.Verb == FileVerb.Scan ? throw new IOException("no") : 0;
        await Store.WriteRunAsync(Run, default);
        _files.Before = null;
        Assert.Equal(3, Assert.Single(await Read()).Run!.Attempts);
    }

    [Fact]
    public async Task One_that_is_damaged_is_told_beside_the_others()
    {
        await Store.WriteRunAsync(Run, default);
        await Store.WriteRunAsync(Run with { Run = "other" }, default);
        await File.AppendAllTextAsync(RunFile, "x");

        var readings = await Read();

        Assert.Equal("other", Assert.Single(readings, r => r.Run is not null).Run!.Run);
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, Assert.Single(readings, r => r.Fault is not null).Fault!.Kind);
    }

    [Fact]
    public async Task One_of_a_newer_version_is_told_as_such()
    {
        await Store.WriteRunAsync(Run, default);
        await File.WriteAllBytesAsync(RunFile, RunFormatTests.Edit("\"format\": 1", "\"format\": 2"));

        Assert.Equal(CheckpointErrorKind.FormatTooNew, Assert.Single(await Read()).Fault!.Kind);
    }

    [Fact]
    public async Task A_copy_under_another_name_is_damaged()
    {
        await Store.WriteRunAsync(Run, default);
        var copy = Directory.CreateDirectory(FolderLayout.RunPath(Root, Run.Pipeline, "copy"));
        File.Copy(RunFile, Path.Join(copy.FullName, FolderLayout.RunRecordName));

        var fault = Assert.Single(await Read(), r => r.Fault is not null).Fault!;

        Assert.Contains("belongs to another run", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_without_a_record_is_no_run()
    {
        await Save(stage: new StageId(Run.Pipeline, "plain", "a"));

        Assert.Empty(await Read());
    }

    private async Task<List<RunReading>> Read()
    {
        var readings = new List<RunReading>();
        await foreach (var reading in Store.ListRunsAsync(NamePattern.Any, NamePattern.Any, default))
            readings.Add(reading);
        return readings;
    }
}
