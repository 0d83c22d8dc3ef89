namespace Checkpoint.Tests;

/// <summary>What a crash left is removed by a later save once it is surely dead, and nothing else is.</summary>
public sealed class FolderLeftoversTests : StoreTest
{
    private static readonly DateTime LongAgo = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task A_dead_temporary_file_is_removed_by_a_later_save()
    {
        await Save();
        var dead = Leave(FolderLayout.NewTemporaryName());
        await Save();
        Assert.False(File.Exists(dead));
        Assert.Equal([2L, 1], await Steps());
    }

    [Fact]
    public async Task A_named_step_saved_by_a_later_process_removes_it_too()
    {
        await Save(step: 1);
        var temporary = Leave(FolderLayout.NewTemporaryName());
        var payload = Leave(FolderLayout.NewPayloadName(9));
        Store = new FolderStore(Root);
        await Save(step: 5);
        Assert.False(File.Exists(temporary));
        Assert.False(File.Exists(payload));
    }

    [Fact]
    public async Task A_process_that_names_its_steps_looks_for_dead_files_now_and_then()
    {
        var time = new ManualTime();
        Store = new FolderStore(Root, new TestFileSystem(), time);
        await Save(step: 1);
        var dead = Leave(FolderLayout.NewTemporaryName());
        time.Advance(TimeSpan.FromSeconds(61));
        await Save(step: 2);
        Assert.False(File.Exists(dead));
    }

    [Fact]
    public async Task A_dead_payload_of_a_step_without_a_record_is_removed_by_a_later_save()
    {
        await Save();
        var dead = Leave(FolderLayout.NewPayloadName(7));
        await Save();
        Assert.False(File.Exists(dead));
    }

    [Fact]
    public async Task A_dead_payload_beside_the_one_that_a_record_names_is_removed_by_a_later_save()
    {
        await Save(TestState.Large(1));
        var dead = Leave(FolderLayout.NewPayloadName(1));
        await Save();
        Assert.False(File.Exists(dead));
        TestState.AssertEqual(TestState.Large(1), await Restore(1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_dead_payload_of_the_step_that_is_saved_is_removed_however_young(bool large)
    {
        await Save();
        var young = Leave(FolderLayout.NewPayloadName(2), isOld: false);
        await Save(large ? TestState.Large(2) : TestState.Small("x"));
        if (File.Exists(young))
        {
            File.SetLastWriteTimeUtc(young, LongAgo);
            await Save();
        }
        Assert.False(File.Exists(young));
    }

    [Fact]
    public async Task In_a_stage_of_many_steps_a_save_looks_at_some_and_the_next_at_others_until_every_dead_one_is_gone()
    {
        const int Steps = 130;
        for (var i = 1; i <= Steps; i++)
            await Save(TestState.Large(i, 16_400), i);
        // As an overwrite leaves it that was cut off between its record and the old payload.
        await Save(TestState.Small("x"), 7, overwrite: true);
        Age();
        var dead = Leave(FolderLayout.NewPayloadName(7));
        var time = new ManualTime();
        var files = new TestFileSystem();
        Store = new FolderStore(Root, files, time);
        for (var i = 0; File.Exists(dead); i++)
        {
            Assert.True(i < 1000, "it is never found");
            time.Advance(TimeSpan.FromMinutes(2));
            files.Forget();
            await Save(TestState.Small("x"), 1000, overwrite: true);
            Assert.InRange(files.Count(FileVerb.OpenRead), 50, 105);
        }
        Assert.Equal(Steps - 1, Names(FolderEntryKind.Payload).Count);
    }

    [Fact]
    public async Task A_save_that_is_cancelled_while_it_tidies_is_done_and_says_so()
    {
        for (var i = 1; i <= 20; i++)
            await Save(TestState.Large(i, 16_400), i);
        using var source = new CancellationTokenSource();
        var reads = 0;
        Store = new FolderStore(Root, new TestFileSystem
        {
            After = o =>
            {
                if (o.Verb == FileVerb.OpenRead && ++reads == 3)
                    source.Cancel();
            },
        });
        Assert.Equal(21, (await Store.SaveAsync(Draft(), source.Token)).Step);
        Assert.Equal(3, reads);
    }

    [Fact]
    public async Task What_was_written_a_moment_ago_is_left_for_its_writer_may_not_have_locked_it_yet()
    {
        await Save();
        var temporary = Leave(FolderLayout.NewTemporaryName(), isOld: false);
        var payload = Leave(FolderLayout.NewPayloadName(7), isOld: false);
        await Save();
        Assert.True(File.Exists(temporary));
        Assert.True(File.Exists(payload));
    }

    [Fact]
    public async Task What_a_living_writer_holds_open_is_left_however_old()
    {
        await Save();
        var names = new[] { FolderLayout.NewTemporaryName(), FolderLayout.NewPayloadName(7), FolderLayout.NewPayloadName(1) };
        var handles = names.Select(n => FileSystem.Current.CreateFile(Path.Join(StageFolder, n))).ToList();
        foreach (var name in names.Where(_ => !OperatingSystem.IsWindows()))
            File.SetLastWriteTimeUtc(Path.Join(StageFolder, name), LongAgo);
        await Save();
        await Save(TestState.Small("x"), 1, overwrite: true);
        Assert.All(names, n => Assert.True(File.Exists(Path.Join(StageFolder, n)), n));

        // A clearing takes what is dead, and leaves what lives.
        await Store.RemoveAsync(Stage, null, default);
        Assert.All(names, n => Assert.True(File.Exists(Path.Join(StageFolder, n)), n));

        handles.ForEach(h => h.Dispose());
        await Store.RemoveAsync(Stage, null, default);
        Assert.False(Directory.Exists(StageFolder));
    }

    [Fact]
    public async Task A_payload_that_a_damaged_record_still_names_is_left()
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2));
        var payloads = Names(FolderEntryKind.Payload);
        foreach (var step in new[] { 1L, 2 })
            await File.AppendAllTextAsync(RecordPath(step), "damage");
        Age();
        var dead = Leave(FolderLayout.NewPayloadName(1));
        await Save();
        await Save();
        Assert.Equal(payloads, Names(FolderEntryKind.Payload));
        Assert.False(File.Exists(dead));
    }

    [Fact]
    public async Task A_payload_that_an_intact_record_names_is_left_also_where_reads_give_a_few_bytes_at_a_time()
    {
        await Save(TestState.Large(1));
        Age();
        Leave(FolderLayout.NewPayloadName(1));
        Store = new FolderStore(Root, new TestFileSystem { MaxRead = 7 });
        await Save();
        TestState.AssertEqual(TestState.Large(1), await Restore(1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_the_writers_lock_nobody_is_known_to_be_dead(bool isBusy)
    {
        await Save();
        var temporary = Leave(FolderLayout.NewTemporaryName());
        var payload = Leave(FolderLayout.NewPayloadName(7));
        Store = new FolderStore(Root, new TestFileSystem { LockAnswer = isBusy ? LockResult.Busy : LockResult.Unsupported });
        await Save();
        await Store.RemoveAsync(Stage, null, default);
        Assert.True(File.Exists(temporary));
        Assert.True(File.Exists(payload));
        Assert.Empty(await Steps());
    }

    [Fact]
    public async Task Files_that_only_look_alike_are_left()
    {
        await Save();
        var names = new[] { "~notes.tmp", "~0123456789abcdef0123456789abcdef.TMP", "0000000007.state", "0000000007.0123456789ABCDEF0123456789ABCDEF.state", "0000000007.0123456789abcdef0123456789abcdef.tmp", "x.tmp" };
        foreach (var name in names)
            Leave(name);
        await Save();
        Assert.All(names, n => Assert.True(File.Exists(Path.Join(StageFolder, n)), n));
    }

    [Fact]
    public async Task A_folder_that_looks_like_a_leftover_is_left()
    {
        await Save();
        var folder = Path.Join(StageFolder, FolderLayout.NewTemporaryName());
        Directory.CreateDirectory(folder);
        Directory.SetLastWriteTimeUtc(folder, LongAgo);
        await Save();
        Assert.True(Directory.Exists(folder));
    }

    [Fact]
    public async Task Clearing_a_stage_removes_its_leftovers_however_they_came_and_the_folder()
    {
        await Save(TestState.Large(1));
        Leave(FolderLayout.NewTemporaryName());
        Leave(FolderLayout.NewPayloadName(1));
        Leave(FolderLayout.NewPayloadName(9));
        Assert.Equal(1, await Store.RemoveAsync(Stage, null, default));
        Assert.False(Directory.Exists(StageFolder));
    }

    [Fact]
    public async Task Leftovers_alone_are_cleared_too()
    {
        Directory.CreateDirectory(StageFolder);
        Leave(FolderLayout.NewTemporaryName());
        Leave(FolderLayout.NewPayloadName(9));
        Assert.Empty(await Steps());
        Assert.Equal(0, await Store.RemoveAsync(Stage, null, default));
        Assert.False(Directory.Exists(StageFolder));
    }

    [Fact]
    public async Task A_leftover_is_never_listed()
    {
        Directory.CreateDirectory(StageFolder);
        Leave(FolderLayout.NewTemporaryName());
        Leave(FolderLayout.NewPayloadName(9));
        Assert.Null(await Store.FindAsync(Stage, default));
        Assert.Empty(await List(Store, new StageQuery { Pipeline = NamePattern.Any }));
        Assert.True((await Store.ReadAsync(Stage, 9, default)).IsMissing);
        Assert.Equal(1, (await Save()).Step);
    }

    [Fact]
    public async Task A_stage_of_leftovers_alone_is_listed_for_clearing_and_a_foreign_folder_is_not()
    {
        var cut = new StageId("nightly", null, "b" + new string('x', 150));
        var all = new StageQuery { Pipeline = NamePattern.Any, WithLeftovers = true };
        Directory.CreateDirectory(StageFolder);
        Leave(FolderLayout.NewPayloadName(9));
        Directory.CreateDirectory(FolderLayout.StagePath(Root, cut));
        await File.WriteAllTextAsync(Path.Join(FolderLayout.StagePath(Root, cut), FolderLayout.NewTemporaryName()), "");
        Temp.Write("store/nightly/stages/notes/notes.txt", "mine");
        Temp.Write("store/nightly/stages/notes/~notes.tmp", "mine");
        Directory.CreateDirectory(Path.Join(Root, "nightly", "stages", "empty"));

        var listed = await List(Store, all);
        Assert.Equal(2, listed.Count);
        Assert.All(listed, s => Assert.Empty(s.Steps));
        foreach (var stage in listed)
            await Store.RemoveAsync(stage.Stage, null, default);
        Assert.Empty(await List(Store, all));
        Assert.Equal(["store/nightly/stages/notes/notes.txt", "store/nightly/stages/notes/~notes.tmp"], Temp.Files().Keys);
        Assert.True(Directory.Exists(Path.Join(Root, "nightly", "stages", "empty")));
    }

    private string Leave(string name, bool isOld = true)
    {
        var path = Path.Join(StageFolder, name);
        File.WriteAllText(path, "left behind");
        if (isOld)
            File.SetLastWriteTimeUtc(path, LongAgo);
        return path;
    }

    private void Age()
    {
        foreach (var file in Directory.EnumerateFiles(StageFolder))
            File.SetLastWriteTimeUtc(file, LongAgo);
    }
}
