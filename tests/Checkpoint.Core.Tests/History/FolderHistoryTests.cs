namespace Checkpoint.Tests;

public class FolderHistoryTests : StoreTest
{
    private const string Pipeline = "nightly";

    private readonly TestFileSystem _files = new();

    public FolderHistoryTests() => Store = new FolderStore(Root, _files);

    private string HistoryPath => Path.Join(Root, Pipeline, FolderLayout.HistoryName);

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

        Assert.Single(_files.Operations, o => o.Verb == FileVerb.Write && o.Path == HistoryPath);
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
    public async Task Each_line_is_chained_to_the_one_before_it_whoever_writes()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 25; i++)
                await new FolderStore(Root).AppendHistoryAsync(Pipeline, [Entry(i), Entry(i)], default);
        })));

        AssertChained(200);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(1)]
    [InlineData(100_000)]
    public async Task The_chain_goes_on_past_a_line_that_a_crash_cut_off(int cut)
    {
        await Append(1);
        await Append(2);
        await Store.AppendHistoryAsync(Pipeline, [new CheckpointEvent { Time = Noon, Event = "Saved", Pipeline = Pipeline, Step = 3, Host = new string('ä', 100_000) }], default);
        var bytes = await File.ReadAllBytesAsync(HistoryPath);
        await File.WriteAllBytesAsync(HistoryPath, bytes[..^cut]);
        // The head is written behind the line, so it is that of the line before.
        var whole = AssertChained(cut == 1 ? 3 : 2, unended: cut == 1);
        await File.WriteAllTextAsync(HeadPath, $"{whole.Chain} {whole.Number:D19}\n");

        foreach (var most in new[] { int.MaxValue, 7 })
        {
            _files.MaxRead = most;
            await Append(4);
        }

        AssertChained(cut == 1 ? 5 : 4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Lines_that_were_removed_from_the_end_stay_missing_whatever_is_written_behind_them(int removed)
    {
        for (var i = 1; i <= 3; i++)
            await Append(i);
        var lines = await File.ReadAllLinesAsync(HistoryPath);
        var head = await File.ReadAllTextAsync(HeadPath);
        await File.WriteAllTextAsync(HistoryPath, string.Concat(lines[..^removed].Select(l => l + "\n")));

        await Append(4);

        var last = (await File.ReadAllLinesAsync(HistoryPath))[^1];
        Assert.Contains($",\"lost\":{removed},\"number\":4,\"chain\":\"", last, StringComparison.Ordinal);
        Assert.True(HistoryFormat.TryReadLink(System.Text.Encoding.UTF8.GetBytes(last), out var link, out var body));
        Assert.Equal(link.Chain, HistoryFormat.Chain(head[..64], System.Text.Encoding.UTF8.GetBytes(last).AsSpan(0, body)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("what is this")]
    public async Task A_head_that_is_missing_or_damaged_is_made_again_by_the_next_line(string? head)
    {
        await Append(1);
        if (head is null)
            File.Delete(HeadPath);
        else
            await File.WriteAllTextAsync(HeadPath, head);

        await Append(2);

        var last = AssertChained(2);
        Assert.StartsWith($"{last.Chain} 0000000000000000002\n", await File.ReadAllTextAsync(HeadPath), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FileVerb.OpenShared)]
    [InlineData(FileVerb.Write)]
    public async Task A_head_that_cannot_be_written_costs_no_line(FileVerb verb)
    {
        _files.Before = o => _ = o.Verb == verb && o.Path == HeadPath ? throw Fault.AccessDenied.Make() : 0;

        await Append(1);
        await Append(2);

        AssertChained(2);
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

    private string HeadPath => Path.Join(Path.GetDirectoryName(HistoryPath), FolderLayout.HistoryHeadName);

    // Every whole line is chained to the whole one before it.
    private HistoryLink AssertChained(int lines, bool unended = false)
    {
        var bytes = File.ReadAllText(HistoryPath).Split('\n');
        var previous = HistoryLink.Start;
        foreach (var line in unended ? bytes : bytes[..^1])
        {
            var text = System.Text.Encoding.UTF8.GetBytes(line);
            if (!HistoryFormat.TryReadLink(text, out var link, out var body))
                continue;
            Assert.Equal(new HistoryLink(previous.Number + 1, HistoryFormat.Chain(previous.Chain, text.AsSpan(0, body))), link);
            previous = link;
        }
        Assert.Equal(lines, previous.Number);
        return previous;
    }

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
