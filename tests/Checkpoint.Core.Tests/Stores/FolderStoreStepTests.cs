namespace Checkpoint.Tests;

public sealed class FolderStoreStepTests : StoreTest
{
    [Fact]
    public async Task Steps_begin_at_1_and_go_on_from_the_latest()
    {
        Assert.Equal(1, (await Save()).Step);
        Assert.Equal(2, (await Save()).Step);
        Assert.Equal(10, (await Save(step: 10)).Step);
        Assert.Equal(11, (await Save()).Step);
        Assert.Equal(3, (await Save(step: 3)).Step);
        Assert.Equal(12, (await Save()).Step);
        Assert.Equal([12L, 11, 10, 3, 2, 1], await Steps());
    }

    [Fact]
    public async Task Step_0_is_a_step_and_the_next_is_1()
    {
        Assert.Equal(0, (await Save(TestState.Small("zero"), 0)).Step);
        Assert.Equal([0L], await Steps());
        TestState.AssertEqual(TestState.Small("zero"), await Restore(0));
        Assert.Equal(1, (await Save()).Step);
    }

    [Fact]
    public async Task A_step_that_was_cleared_is_given_again_only_when_it_was_the_latest()
    {
        await Save();
        await Save();
        await Save();
        await Store.RemoveAsync(Stage, [2], default);
        Assert.Equal(4, (await Save()).Step);
        await Store.RemoveAsync(Stage, [4], default);
        Assert.Equal(4, (await Save()).Step);
    }

    [Fact]
    public async Task Steps_of_more_than_ten_digits_are_in_order()
    {
        foreach (var step in new[] { 9_999_999_999, 10_000_000_000, 2, long.MaxValue - 1 })
            await Save(step: step);
        Assert.Equal([long.MaxValue - 1, 10_000_000_000, 9_999_999_999, 2], await Steps());
        Assert.Equal(long.MaxValue, (await Save()).Step);
    }

    [Fact]
    public async Task Behind_the_highest_step_there_is_no_next()
    {
        await Save(TestState.Large(1), long.MaxValue);
        var before = Temp.Files();
        foreach (var state in new[] { null, TestState.Small("x"), TestState.Large(2) })
        {
            var error = await Assert.ThrowsAsync<CheckpointException>(() => Save(state));
            Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
            Assert.Contains("highest step", error.Message, StringComparison.Ordinal);
        }
        Assert.Equal(before, Temp.Files());
        TestState.AssertEqual(TestState.Large(1), await Restore());
    }

    [Fact]
    public async Task No_step_is_below_0()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Save(step: -1));
        Assert.Empty(Temp.Files());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_step_that_is_saved_is_left_as_it_is(bool oldLarge, bool newLarge)
    {
        await Save(oldLarge ? TestState.Large(1) : TestState.Small("old"), 4);
        var before = Temp.Files();
        var error = await Assert.ThrowsAsync<CheckpointException>(() => Save(newLarge ? TestState.Large(2) : TestState.Small("new"), 4));
        Assert.Equal(CheckpointErrorKind.CheckpointExists, error.Kind);
        Assert.Equal("ingest", error.Target);
        foreach (var part in new[] { "Step 4", "'ingest'", "'nightly'", Root, "-Overwrite" })
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Temp.Files());
    }

    [Fact]
    public async Task A_step_that_comes_to_be_while_a_state_is_written_is_left_as_it_is()
    {
        var other = new FolderStore(Root);
        var files = new TestFileSystem();
        files.Before = o =>
        {
            if (o.Verb != FileVerb.Flush || files.Count(FileVerb.Flush) > 1)
                return;
            other.SaveAsync(Draft(TestState.Large(9), 4), default).AsTask().GetAwaiter().GetResult();
        };
        Store = new FolderStore(Root, files);
        Assert.Equal(CheckpointErrorKind.CheckpointExists, (await Assert.ThrowsAsync<CheckpointException>(() => Save(TestState.Large(1), 4))).Kind);
        TestState.AssertEqual(TestState.Large(9), await Restore(4));
        Assert.Single(Names(FolderEntryKind.Payload));
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Fact]
    public async Task The_next_step_goes_to_the_next_number_when_another_writer_takes_its_own()
    {
        var files = new TestFileSystem { LockAnswer = LockResult.Unsupported };
        var other = new FolderStore(Root, new TestFileSystem { LockAnswer = LockResult.Unsupported });
        var taken = 0;
        files.Before = o =>
        {
            if (o is not { Verb: FileVerb.RenameNew, Kind: FolderEntryKind.Record } || taken == 3)
                return;
            taken++;
            other.SaveAsync(Draft(TestState.Large(taken)), default).AsTask().GetAwaiter().GetResult();
        };
        Store = new FolderStore(Root, files);
        Assert.Equal(4, (await Save(TestState.Large(99))).Step);
        TestState.AssertEqual(TestState.Large(99), await Restore(4));
        for (var step = 1; step <= 3; step++)
            TestState.AssertEqual(TestState.Large(step), await Restore(step));
        Assert.Equal(4, Names(FolderEntryKind.Payload).Count);
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Overwrite_replaces_the_step_and_removes_its_old_payload(bool oldLarge, bool newLarge)
    {
        await Save(TestState.Large(5));
        await Save(oldLarge ? TestState.Large(1) : TestState.Small("old"));
        await Save(TestState.Large(6));
        var state = newLarge ? TestState.Large(2) : TestState.Small("new");
        var saved = await Save(state, 2, overwrite: true, savedAt: Noon.AddHours(1));
        Assert.Equal(2, saved.Step);
        Assert.Equal([3L, 2, 1], await Steps());
        TestState.AssertEqual(state, await Restore(2));
        TestState.AssertEqual(TestState.Large(5), await Restore(1));
        TestState.AssertEqual(TestState.Large(6), await Restore(3));
        Assert.Equal(Noon.AddHours(1), (await Store.ReadAsync(Stage, 2, default)).Info!.SavedAt);
        Assert.Equal(newLarge ? 3 : 2, Names(FolderEntryKind.Payload).Count);
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Fact]
    public async Task Overwrite_saves_a_step_that_is_not_there()
    {
        Assert.Equal(7, (await Save(TestState.Small("x"), 7, overwrite: true)).Step);
        Assert.Equal(8, (await Save(TestState.Small("y"), overwrite: true)).Step);
        TestState.AssertEqual(TestState.Small("x"), await Restore(7));
    }

    [Fact]
    public async Task Overwrite_replaces_a_damaged_step()
    {
        await Save(TestState.Large(1));
        await File.WriteAllTextAsync(RecordPath(1), "{");
        await Save(TestState.Large(2), 1, overwrite: true);
        TestState.AssertEqual(TestState.Large(2), await Restore(1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_folder_with_the_name_of_the_next_record_is_passed_by(bool large)
    {
        var state = large ? TestState.Large(1) : TestState.Small("x");
        foreach (var step in new[] { 1L, 2, 4 })
            Directory.CreateDirectory(RecordPath(step));
        Assert.Equal(3, (await Save(state)).Step);
        Assert.Equal(5, (await Save(state)).Step);
        Assert.Equal([5L, 3], await Steps());
        Assert.All(new[] { 1L, 2, 4 }, step => Assert.True(Directory.Exists(RecordPath(step))));
        Assert.Empty(Names(FolderEntryKind.Temporary));
        Assert.Equal(large ? 2 : 0, Names(FolderEntryKind.Payload).Count);
        TestState.AssertEqual(state, await Restore());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_folder_with_the_name_of_the_step_that_is_saved_is_an_error_that_says_so(bool overwrite)
    {
        Directory.CreateDirectory(RecordPath(3));
        var error = await Assert.ThrowsAsync<CheckpointException>(() => Save(TestState.Small("x"), 3, overwrite));
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
        foreach (var part in new[] { RecordPath(3), "is a folder", "'ingest'" })
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Fact]
    public async Task A_name_that_is_taken_in_another_casing_is_passed_by_where_the_file_system_ignores_case()
    {
        Temp.Write("store/nightly/stages/ingest/0000000001.JSON", "mine");
        var isTaken = File.Exists(RecordPath(1));
        Assert.Equal(isTaken ? 2 : 1, (await Save(TestState.Small("x"))).Step);
        Assert.Contains("mine", Temp.Files().Values.Select(System.Text.Encoding.UTF8.GetString));
        TestState.AssertEqual(TestState.Small("x"), await Restore());
    }

    [UnixFact]
    public async Task A_pipe_or_a_link_to_nothing_with_the_name_of_a_record_counts_as_a_step()
    {
        await Save(TestState.Small("x"));
        using (var process = System.Diagnostics.Process.Start("mkfifo", [RecordPath(2)]))
            process.WaitForExit();
        File.CreateSymbolicLink(RecordPath(3), Path.Join(Temp.Path, "nothing"));
        Assert.Equal(4, (await Save(TestState.Small("y"))).Step);
        TestState.AssertEqual(TestState.Small("y"), await Restore());
    }
}
