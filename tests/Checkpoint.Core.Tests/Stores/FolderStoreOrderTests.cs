namespace Checkpoint.Tests;

/// <summary>The order of what a store does to its medium, from which follows that no loss of power takes back what was acknowledged, or shows what is not whole.</summary>
public sealed class FolderStoreOrderTests : StoreTest
{
    private readonly TestFileSystem _files = new();

    public FolderStoreOrderTests() => Store = new FolderStore(Root, _files);

    [Theory]
    [InlineData(false, false, false)]
    [InlineData(false, true, false)]
    [InlineData(false, true, true)]
    [InlineData(true, false, false)]
    [InlineData(true, true, false)]
    [InlineData(true, true, true)]
    public async Task A_record_is_written_aside_then_flushed_then_renamed_then_its_folder_flushed(bool large, bool named, bool overwrite)
    {
        await Save(TestState.Large(1));
        _files.Forget();
        await Save(large ? TestState.Large(2) : TestState.Small("x"), named ? (overwrite ? 1 : 5) : null, overwrite);

        var rename = Single(o => o.IsRename && o.Kind == FolderEntryKind.Record);
        Assert.Equal(overwrite ? FileVerb.RenameOver : FileVerb.RenameNew, At(rename).Verb);
        Assert.Equal(StageFolder, Path.GetDirectoryName(At(rename).Path));
        Assert.Equal(FolderEntryKind.Temporary, FolderLayout.Classify(At(rename).Name).Kind);
        var write = Single(o => o.Verb == FileVerb.Write && o.Path == At(rename).Path);
        var flush = Single(o => o.Verb == FileVerb.Flush && o.Path == At(rename).Path);
        var created = Single(o => o.Verb == FileVerb.CreateFile && o.Path == At(rename).Path);
        Assert.True(created < write && write < flush && flush < rename, Log());

        var folderFlush = Find(rename, o => o.Verb == FileVerb.FlushDirectory && o.Path == StageFolder);
        Assert.True(folderFlush > rename, Log());
        // Nothing that counts comes between, and nothing that changes comes after it but tidying.
        Assert.Equal(rename + 1, folderFlush);
        Assert.DoesNotContain(_files.Operations.Skip(folderFlush + 1), o => o.Changes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_payload_is_on_the_medium_under_its_final_name_before_the_record_that_names_it_can_be_seen(bool overwrite)
    {
        await Save(TestState.Large(1));
        _files.Forget();
        await Save(TestState.Large(2), overwrite ? 1 : null, overwrite);

        var record = Single(o => o.IsRename && o.Kind == FolderEntryKind.Record);
        var payload = Single(o => o.IsRename && o.Kind == FolderEntryKind.Payload);
        Assert.Equal(FileVerb.RenameNew, At(payload).Verb);
        var flush = Single(o => o.Verb == FileVerb.Flush && o.Path == At(payload).Path);
        var lastWrite = Last(o => o.Verb == FileVerb.Write && o.Path == At(payload).Path);
        var folderFlush = Find(payload, o => o.Verb == FileVerb.FlushDirectory && o.Path == StageFolder);
        Assert.True(lastWrite < flush && flush < payload && payload < folderFlush && folderFlush < record, Log());
    }

    [Fact]
    public async Task The_entry_of_each_new_folder_is_flushed_before_the_record_can_be_seen()
    {
        await Save(TestState.Small("x"));
        var record = Single(o => o.IsRename && o.Kind == FolderEntryKind.Record);
        var created = _files.Operations.Where(o => o.Verb == FileVerb.CreateDirectory).Select(o => o.Path).ToList();
        Assert.Equal([Root, Path.Join(Root, "nightly"), Path.Join(Root, "nightly", "stages"), StageFolder], created);
        foreach (var folder in created)
        {
            var creation = Single(o => o.Verb == FileVerb.CreateDirectory && o.Path == folder);
            var flush = Find(creation, o => o.Verb == FileVerb.FlushDirectory && o.Path == Path.GetDirectoryName(folder));
            Assert.True(flush > creation && flush < record, $"{folder}: {Log()}");
        }
    }

    [Fact]
    public async Task The_entries_of_folders_that_another_process_made_are_flushed_too_for_it_may_not_have_come_to_it()
    {
        Directory.CreateDirectory(StageFolder);
        await Save(TestState.Small("x"));
        var record = Single(o => o.IsRename && o.Kind == FolderEntryKind.Record);
        foreach (var folder in new[] { Temp.Path, Root, Path.Join(Root, "nightly"), Path.Join(Root, "nightly", "stages") })
            Assert.True(First(o => o.Verb == FileVerb.FlushDirectory && o.Path == folder) < record, $"{folder}: {Log()}");
    }

    [Fact]
    public async Task A_named_step_in_a_folder_that_was_cleared_and_made_anew_by_another_process_flushes_them_too()
    {
        await Save(step: 1);
        await new FolderStore(Root).RemoveAsync(Stage, null, default);
        Directory.CreateDirectory(StageFolder);
        _files.Forget();
        await Save(step: 2);
        var record = Single(o => o.IsRename && o.Kind == FolderEntryKind.Record);
        foreach (var folder in new[] { Temp.Path, Root, Path.Join(Root, "nightly"), Path.Join(Root, "nightly", "stages") })
            Assert.True(First(o => o.Verb == FileVerb.FlushDirectory && o.Path == folder) < record, $"{folder}: {Log()}");

        _files.Forget();
        await Save(step: 3);
        Assert.Equal(0, _files.Count(FileVerb.Scan));
    }

    [Fact]
    public async Task The_save_is_not_done_before_the_last_flush_is()
    {
        await Save(TestState.Small("first"));
        using var reached = new Reached();
        using var released = new ManualResetEventSlim();
        var renamed = false;
        _files.Before = o =>
        {
            renamed |= o.IsRename && o.Kind == FolderEntryKind.Record;
            if (!renamed || o.Verb != FileVerb.FlushDirectory)
                return;
            reached.Set();
            released.Wait();
        };
        var save = Task.Factory.StartNew(() => Save(TestState.Small("second")), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
        reached.WaitDuring(save);
        Assert.False(save.IsCompleted);
        released.Set();
        Assert.Equal(2, (await save).Step);
    }

    [Fact]
    public async Task The_old_payload_is_removed_only_when_the_new_record_is_on_the_medium()
    {
        await Save(TestState.Large(1));
        var old = Assert.Single(Names(FolderEntryKind.Payload));
        _files.Forget();
        await Save(TestState.Large(2), 1, overwrite: true);

        var record = Single(o => o.IsRename && o.Kind == FolderEntryKind.Record);
        var flush = Find(record, o => o.Verb == FileVerb.FlushDirectory && o.Path == StageFolder);
        var removal = Single(o => o.IsDeletion && o.Name == old);
        Assert.True(flush < removal, Log());
        Assert.DoesNotContain(old, Names(FolderEntryKind.Payload));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Records_are_removed_and_flushed_before_their_payloads_are_deleted(bool all)
    {
        for (var i = 0; i < 3; i++)
            await Save(TestState.Large(i));
        _files.Forget();
        Assert.Equal(all ? 3 : 2, await Store.RemoveAsync(Stage, all ? null : [1, 3], default));

        var lastRecord = Last(o => o.IsDeletion && o.Kind == FolderEntryKind.Record);
        var flush = Find(lastRecord, o => o.Verb == FileVerb.FlushDirectory && o.Path == StageFolder);
        var firstPayload = First(o => o.IsDeletion && o.Kind == FolderEntryKind.Payload);
        Assert.True(lastRecord < flush && flush < firstPayload, Log());
        Assert.Equal(all ? 3 : 2, _files.Operations.Count(o => o.IsDeletion && o.Kind == FolderEntryKind.Payload));
    }

    [Fact]
    public async Task A_removed_folder_is_gone_for_good()
    {
        await Save();
        _files.Forget();
        await Store.RemoveAsync(Stage, null, default);
        foreach (var folder in new[] { StageFolder, Path.Join(Root, "nightly", "stages"), Path.Join(Root, "nightly") })
        {
            var removal = Single(o => o.Verb == FileVerb.DeleteDirectory && o.Path == folder);
            Assert.True(Find(removal, o => o.Verb == FileVerb.FlushDirectory && o.Path == Path.GetDirectoryName(folder)) > removal, Log());
        }
    }

    [Fact]
    public async Task A_new_record_that_is_taken_back_goes_before_its_payload()
    {
        var renamed = false;
        await Save(TestState.Large(1));
        _files.Forget();
        _files.Before = o =>
        {
            if (renamed && o.Verb == FileVerb.FlushDirectory)
                throw Fault.InputOutput.Make();
            renamed |= o.IsRename && o.Kind == FolderEntryKind.Record;
        };
        await Assert.ThrowsAsync<CheckpointException>(() => Save(TestState.Large(2)));
        var record = Single(o => o.IsDeletion && o.Kind == FolderEntryKind.Record);
        var payload = Single(o => o.IsDeletion && o.Kind == FolderEntryKind.Payload);
        Assert.True(record < payload, Log());
    }

    [Fact]
    public async Task A_step_that_is_there_is_found_out_before_a_state_is_written()
    {
        await Save(TestState.Large(1), 7);
        _files.Forget();
        await Assert.ThrowsAsync<CheckpointException>(() => Save(TestState.Large(2), 7));
        Assert.Equal(0, _files.Count(FileVerb.Write));
        Assert.Equal(0, _files.Count(FileVerb.CreateFile));
    }

    private FileOperation At(int index) => _files.Operations[index];

    private int Single(Func<FileOperation, bool> fits)
    {
        var found = Indices(fits);
        Assert.True(found.Count == 1, $"{found.Count} times: {Log()}");
        return found[0];
    }

    private int First(Func<FileOperation, bool> fits) => Indices(fits)[0];

    private int Last(Func<FileOperation, bool> fits) => Indices(fits)[^1];

    private int Find(int after, Func<FileOperation, bool> fits) => Indices(fits).Find(i => i > after);

    private List<int> Indices(Func<FileOperation, bool> fits) => [.. _files.Operations.Select((o, i) => (o, i)).Where(x => fits(x.o)).Select(x => x.i)];

    private string Log() => string.Join(Environment.NewLine, _files.Operations.Select(o => $"{o.Verb} {o.Path} {o.Target}"));
}
