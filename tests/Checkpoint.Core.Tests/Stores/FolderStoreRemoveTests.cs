namespace Checkpoint.Tests;

public sealed class FolderStoreRemoveTests : StoreTest
{
    [Fact]
    public async Task Only_the_steps_named_are_removed_with_their_payloads()
    {
        for (var i = 1; i <= 4; i++)
            await Save(TestState.Large(i));
        Assert.Equal(2, await Store.RemoveAsync(Stage, [2, 4, 99], default));
        Assert.Equal([3L, 1], await Steps());
        Assert.Equal(2, Names(FolderEntryKind.Payload).Count);
        TestState.AssertEqual(TestState.Large(3), await Restore());
        TestState.AssertEqual(TestState.Large(1), await Restore(1));
    }

    [Fact]
    public async Task No_steps_are_no_removal()
    {
        await Save();
        Assert.Equal(0, await Store.RemoveAsync(Stage, [], default));
        Assert.Equal([1L], await Steps());
    }

    [Fact]
    public async Task Damaged_steps_are_removed_too()
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2));
        await File.WriteAllTextAsync(RecordPath(2), "");
        Assert.Equal(1, await Store.RemoveAsync(Stage, [2], default));
        Assert.Equal([1L], await Steps());
        Assert.Single(Names(FolderEntryKind.Payload));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_copy_of_a_stages_folder_is_left_as_it_is(bool all)
    {
        await Save(TestState.Large(1));
        await Save(TestState.Small("x"));
        var backup = new StageId("nightly", null, "ingest-backup");
        var folder = StageFolder + "-backup";
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(StageFolder))
            File.Copy(file, Path.Join(folder, Path.GetFileName(file)));
        File.WriteAllText(Path.Join(folder, FolderLayout.NewTemporaryName()), "");
        var before = Directory.EnumerateFiles(folder).ToList();
        Assert.Equal(0, await Store.RemoveAsync(backup, all ? null : [1, 2], default));
        Assert.Equal(before, Directory.EnumerateFiles(folder));

        // What is saved there afterwards is the stage's own, and goes alone.
        Assert.Equal(3, (await Save(stage: backup)).Step);
        Assert.Equal(1, await Store.RemoveAsync(backup, all ? null : [1, 2, 3], default));
        Assert.Equal([2L, 1], await Steps(backup));
        Assert.Single(Directory.EnumerateFiles(folder, "*.state"));
        TestState.AssertEqual(TestState.Large(1), await Restore(1));
    }

    [Fact]
    public async Task What_was_judged_is_looked_at_again_under_the_writers_lock()
    {
        var judged = await Save(TestState.Small("old"));
        await Save();
        var files = new TestFileSystem();
        await new FolderStore(Root, files).RemoveAsync(Stage, [new(judged)], default);
        var operations = files.Operations.ToList();
        var locked = operations.FindIndex(o => o.Verb == FileVerb.LockDirectory);
        var read = operations.FindLastIndex(o => o.Verb == FileVerb.OpenRead && o.Path == RecordPath(1));
        var removed = operations.FindIndex(o => o.IsDeletion && o.Path == RecordPath(1));
        Assert.True(locked >= 0 && locked < read && read < removed, string.Join('\n', operations));
    }

    [Fact]
    public async Task What_is_damaged_since_it_was_judged_stays()
    {
        var judged = await Save(TestState.Small("x"));
        foreach (var content in new[] { "", "cut", new string('x', 400) })
        {
            await File.WriteAllTextAsync(RecordPath(1), content);
            Assert.Equal(0, await Store.RemoveAsync(Stage, [new(judged)], default));
        }
    }

    [Fact]
    public async Task The_revision_of_a_save_is_that_of_its_record()
    {
        foreach (var state in new[] { null, TestState.Small("x"), TestState.Large(1) })
            Assert.Equal((await Save(state)).Revision, (await Store.FindAsync(Stage, default))!.Newest.Info!.Revision);
    }

    [Fact]
    public async Task A_folder_above_that_may_be_entered_and_not_opened_does_not_fail_the_removal()
    {
        await Save();
        Store = new FolderStore(Root, new TestFileSystem
        {
            Before = o =>
            {
                if (o.Verb == FileVerb.OpenDirectory && o.Path != StageFolder)
                    throw Fault.AccessDenied.Make();
            },
        });
        Assert.Equal(1, await Store.RemoveAsync(Stage, null, default));
        Assert.Equal(["store"], Temp.Folders());
    }

    [Fact]
    public async Task Folders_that_become_empty_are_removed_but_not_the_store_and_not_its_neighbours()
    {
        var other = new StageId("nightly", "7", "other");
        await Save(TestState.Large(1));
        await Save(stage: other);
        await Store.RemoveAsync(Stage, null, default);
        Assert.Equal(["store", "store/nightly", "store/nightly/runs", "store/nightly/runs/7", "store/nightly/runs/7/stages", "store/nightly/runs/7/stages/other"], Temp.Folders());
        await Store.RemoveAsync(other, [1], default);
        Assert.Equal(["store"], Temp.Folders());
    }

    [Fact]
    public async Task What_is_not_ours_is_left_and_does_not_stop_the_removal()
    {
        string[] foreign =
        [
            "notes.txt", "0000000001.json.bak", "1.json", "~notes.tmp", "0000000001.state", "0000000009.0123.state", "~0123456789abcdef0123456789ABCDEF.tmp", "0000000001.JSON",
            "backup/0000000001.json", "a folder/in a folder/file",
        ];
        await Save(TestState.Large(1));
        await Save(TestState.Small("x"));
        foreach (var file in foreign)
            Temp.Write(Path.Join("store/nightly/stages/ingest", file), "mine");
        Temp.Write("store/nightly/readme", "mine");
        Temp.Write("store/nightly/stages/ingest2", "mine");
        Directory.CreateDirectory(Path.Join(StageFolder, "empty"));
        Directory.CreateDirectory(RecordPath(77));
        var before = Temp.Files();

        Assert.Equal(2, await Store.RemoveAsync(Stage, null, default));
        Assert.Empty(await Steps());
        Assert.Equal(foreign.Select(f => "store/nightly/stages/ingest/" + f).Append("store/nightly/readme").Append("store/nightly/stages/ingest2").Order(StringComparer.Ordinal), Temp.Files().Keys);
        Assert.All(Temp.Files(), file => Assert.Equal(before[file.Key], file.Value));
        Assert.True(Directory.Exists(Path.Join(StageFolder, "empty")));
        Assert.True(Directory.Exists(RecordPath(77)));
    }

    [Fact]
    public async Task Only_the_stage_named_is_touched()
    {
        await Save(TestState.Large(1));
        foreach (var stage in new[] { new StageId("nightly", "7", "ingest"), new StageId("nightly", null, "ingest2"), new StageId("default", null, "ingest") })
            await Save(TestState.Large(2), stage: stage);
        var before = Temp.Files();
        await Store.RemoveAsync(Stage, null, default);
        Assert.Equal(before.Keys.Where(k => !k.StartsWith("store/nightly/stages/ingest/", StringComparison.Ordinal)), Temp.Files().Keys);
    }

    [UnixFact]
    public async Task A_link_is_removed_and_not_what_it_leads_to()
    {
        await Save(TestState.Small("x"));
        var outside = Path.Join(Temp.Path, "outside.json");
        File.Move(RecordPath(1), outside);
        File.CreateSymbolicLink(RecordPath(1), outside);
        Directory.CreateDirectory(Path.Join(Temp.Path, "folder"));
        Temp.Write("folder/file", "mine");
        Directory.CreateSymbolicLink(Path.Join(StageFolder, "link"), Path.Join(Temp.Path, "folder"));
        Assert.Equal(1, await Store.RemoveAsync(Stage, null, default));
        Assert.True(File.Exists(outside));
        Assert.True(File.Exists(Path.Join(Temp.Path, "folder", "file")));
        Assert.True(Directory.Exists(Path.Join(StageFolder, "link")));
    }

    [Fact]
    public async Task A_removal_that_is_cancelled_stops_between_two_records_and_leaves_the_rest_whole()
    {
        for (var i = 1; i <= 5; i++)
            await Save(TestState.Large(i));
        using var source = new CancellationTokenSource();
        var files = new TestFileSystem();
        files.After = o =>
        {
            if (o.Verb == FileVerb.Delete && files.Count(FileVerb.Delete) == 2)
                source.Cancel();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await new FolderStore(Root, files).RemoveAsync(Stage, null, source.Token));
        var steps = await Steps();
        Assert.Equal(3, steps.Count);
        foreach (var step in steps)
            TestState.AssertEqual(TestState.Large((int)step), await Restore(step));
    }

    [Fact]
    public async Task A_stage_whose_folder_is_removed_by_another_in_between_is_no_error()
    {
        await Save(TestState.Large(1));
        var files = new TestFileSystem();
        files.Before = o =>
        {
            if (o.Verb == FileVerb.OpenDirectory && o.Path == StageFolder && Directory.Exists(StageFolder))
                Directory.Delete(Path.Join(Root, "nightly"), recursive: true);
        };
        await new FolderStore(Root, files).RemoveAsync(Stage, null, default);
        Assert.Empty(await Steps());
    }

    [Fact]
    public async Task Folders_that_are_removed_by_another_in_between_are_no_error()
    {
        await Save(TestState.Large(1));
        var files = new TestFileSystem();
        files.Before = o =>
        {
            if (o.Verb == FileVerb.OpenDirectory && o.Path == Path.GetDirectoryName(StageFolder) && Directory.Exists(o.Path))
                Directory.Delete(Path.Join(Root, "nightly"), recursive: true);
        };
        Assert.Equal(1, await new FolderStore(Root, files).RemoveAsync(Stage, null, default));
    }
}
