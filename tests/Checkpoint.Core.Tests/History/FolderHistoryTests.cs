namespace Checkpoint.Tests;

public class FolderHistoryTests : StoreTest
{
    private const string Pipeline = "nightly";

    private readonly TestFileSystem _files = new();

    public FolderHistoryTests() => Store = new FolderStore(Root, _files);

    private string HistoryPath => FolderLayout.HistoryPath(Root, Pipeline);

    public static TheoryData<FileVerb, Fault> Faults()
    {
        var cases = new TheoryData<FileVerb, Fault>();
        foreach (var fault in Enum.GetValues<Fault>())
        {
            cases.Add(FileVerb.OpenLocked, fault);
            cases.Add(FileVerb.Write, fault);
            cases.Add(FileVerb.CreateDirectory, fault);
        }
        return cases;
    }

    [Fact]
    public async Task What_is_appended_is_read_in_its_order()
    {
        for (var i = 1; i <= 3; i++)
            await Append(i);

        Assert.Equal([1, 2, 3], await Steps());
    }

    [Fact]
    public async Task Several_events_are_one_write()
    {
        await Append(1);
        _files.Forget();

        await Store.AppendHistoryAsync(Pipeline, [Entry(2), Entry(3)], default);

        Assert.Equal(1, _files.Count(FileVerb.Write));
        Assert.Equal([1, 2, 3], await Steps());
    }

    [Fact]
    public async Task A_line_that_a_crash_cut_off_is_passed_over_and_the_next_begins_its_own()
    {
        await Append(1);
        await Append(2);
        var bytes = await File.ReadAllBytesAsync(HistoryPath);
        await File.WriteAllBytesAsync(HistoryPath, bytes[..^20]);
        Assert.Equal([1], await Steps());

        await Append(3);

        Assert.Equal([1, 3], await Steps());
    }

    [Fact]
    public async Task A_line_that_lacks_its_line_feed_alone_is_there_again_with_the_next()
    {
        await Append(1);
        var bytes = await File.ReadAllBytesAsync(HistoryPath);
        await File.WriteAllBytesAsync(HistoryPath, bytes[..^1]);

        await Append(2);

        Assert.Equal([1, 2], await Steps());
    }

    [Fact]
    public async Task A_line_longer_than_any_can_be_is_passed_over_and_takes_no_more_memory_than_one()
    {
        await Append(1);
        using (var file = new FileStream(HistoryPath, FileMode.Append))
            file.SetLength(file.Length + (100 << 20));
        await Append(2);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Equal([1, 2], await Steps());

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 << 20);
    }

    [Fact]
    public async Task Lines_of_any_length_are_read_whatever_a_read_gives()
    {
        await Append(1);
        await Store.AppendHistoryAsync(Pipeline, [new CheckpointEvent { Time = Noon, Event = "Saved", Pipeline = Pipeline, Step = 2, Reason = new string('ä', 100_000) }], default);
        await Append(3);

        foreach (var most in new[] { 7, 4096, int.MaxValue })
        {
            _files.MaxRead = most;
            Assert.Equal([1, 2, 3], await Steps());
        }
    }

    [Fact]
    public async Task Of_eight_writers_at_once_no_line_is_lost_or_mixed()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            var store = new FolderStore(Root);
            for (var i = 0; i < 100; i++)
                await store.AppendHistoryAsync(Pipeline, [Entry((writer * 100) + i, new string((char)('a' + writer), 50 * writer))], default);
        })));

        var steps = await Steps();
        Assert.Equal(800, (await File.ReadAllLinesAsync(HistoryPath)).Length);
        Assert.Equal(Enumerable.Range(0, 800).Select(i => (long)i), steps.Order());
        for (var writer = 0; writer < 8; writer++)
            Assert.Equal(Enumerable.Range(writer * 100, 100).Select(i => (long)i), steps.Where(s => s / 100 == writer));
    }

    [Fact]
    public async Task A_folder_that_is_cleared_away_in_between_is_made_again()
    {
        var removals = 0;
        _files.Before = o =>
        {
            if (o.Verb == FileVerb.OpenLocked && removals++ < 3 && Directory.Exists(Root))
                Directory.Delete(Root, recursive: true);
        };

        await Append(1);

        Assert.Equal([1], await Steps());
        Assert.True(removals > 3);
    }

    [Fact]
    public async Task One_that_is_locked_is_waited_for_and_then_the_error_says_so()
    {
        await Append(1);
        using var held = FileSystem.Current.OpenLocked(HistoryPath);

        var error = await Assert.ThrowsAsync<CheckpointException>(() => Append(2));

        Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
        Assert.Contains("locked by another process", error.Message, StringComparison.Ordinal);
        Assert.Contains("'nightly'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readers_take_no_lock()
    {
        await Append(1);
        using var held = FileSystem.Current.OpenLocked(HistoryPath);
        _files.Forget();

        if (!OperatingSystem.IsWindows())
            Assert.Equal([1], await Steps());
        Assert.Equal(0, _files.Count(FileVerb.OpenLocked));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_fault_is_a_warning_and_the_save_stands(FileVerb verb, Fault fault)
    {
        var told = new List<CheckpointException>();
        var engine = new CheckpointEngine(Store, onHistoryFault: told.Add);
        // The folders of the stage are made by the save itself.
        _files.Before = o =>
        {
            if (o.Verb == verb && (verb == FileVerb.CreateDirectory ? o.Path == Path.GetDirectoryName(HistoryPath) && _files.Count(FileVerb.OpenLocked) > 0 : o.Path == HistoryPath))
                throw fault.Make();
            if (verb == FileVerb.CreateDirectory && o.Verb == FileVerb.OpenLocked && Directory.Exists(Path.GetDirectoryName(HistoryPath)))
                Directory.Move(Path.GetDirectoryName(HistoryPath)!, Path.Join(Temp.Path, "aside"));
        };

        var (saved, _, _) = await engine.SaveAsync(Draft(TestState.Small("x")), new RetentionPolicy(), default);

        Assert.Equal(1, saved.Step);
        Assert.Equal(fault.Kind(), Assert.Single(told).Kind);
    }

    [Theory]
    [InlineData(Fault.AccessDenied, 0)]
    [InlineData(Fault.ReadOnly, 0)]
    [InlineData(Fault.InputOutput, 1)]
    public async Task A_store_that_may_not_be_written_is_restored_from_without_a_warning(Fault fault, int warnings)
    {
        await Save(TestState.Small("kept"));
        var told = new List<CheckpointException>();
        _files.Before = o => _ = o.Verb == FileVerb.OpenLocked ? throw fault.Make() : 0;

        var restored = await new CheckpointEngine(Store, onHistoryFault: told.Add).RestoreAsync(Stage, null, TestState.Read, null, default);

        TestState.AssertEqual(TestState.Small("kept"), restored.State);
        Assert.Equal(warnings, told.Count);
    }

    [Fact]
    public async Task A_fault_of_reading_is_an_error_of_the_store()
    {
        await Append(1);
        _files.Before = o => _ = o.Verb == FileVerb.OpenRead ? throw Fault.InputOutput.Make() : 0;

        Assert.Equal(CheckpointErrorKind.StoreUnavailable, (await Assert.ThrowsAsync<CheckpointException>(Steps)).Kind);
    }

    [Fact]
    public async Task It_outlives_the_checkpoints_of_its_pipeline()
    {
        var engine = new CheckpointEngine(Store);
        await engine.SaveAsync(Draft(), new RetentionPolicy(), default);

        await engine.ClearAsync(Stage, null, null, default);

        Assert.Equal(["Saved", "Cleared"], (await Read()).Select(e => e.Event));
        Assert.Empty(await List(Store, new StageQuery { Pipeline = NamePattern.Any }));
    }

    private static CheckpointEvent Entry(long step, string? reason = null) => new() { Time = Noon, Event = CheckpointEvents.Saved, Pipeline = Pipeline, Name = "a", Step = step, Reason = reason };

    private async Task Append(long step) => await Store.AppendHistoryAsync(Pipeline, [Entry(step)], default);

    private async Task<List<CheckpointEvent>> Read()
    {
        var entries = new List<CheckpointEvent>();
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Of(Pipeline), default))
            entries.Add(entry);
        return entries;
    }

    private async Task<List<long>> Steps() => [.. (await Read()).Select(e => e.Step!.Value)];
}
