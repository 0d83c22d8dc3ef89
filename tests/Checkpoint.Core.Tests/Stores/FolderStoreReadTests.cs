namespace Checkpoint.Tests;

/// <summary>Readers take no lock: what happens between two of their steps must not mislead them.</summary>
public sealed class FolderStoreReadTests : StoreTest
{
    private readonly TestFileSystem _files = new();
    private readonly FolderStore _other;

    public FolderStoreReadTests()
    {
        _other = new FolderStore(Root, new TestFileSystem());
        Store = new FolderStore(Root, _files);
    }

    [Fact]
    public async Task A_payload_that_an_overwrite_removes_after_the_record_was_read_is_no_damage()
    {
        await Save(TestState.Large(0), 1);
        Between(FileVerb.Read, 5, seed => _other.SaveAsync(Draft(TestState.Large(seed), 1, overwrite: true), default));
        var reading = await Store.ReadAsync(Stage, 1, default);
        Assert.Null(reading.Fault);
        Assert.True(File.Exists(Path.Join(StageFolder, reading.Info!.State!.Payload)));
    }

    [Fact]
    public async Task A_step_that_a_clearing_removes_after_the_record_was_read_is_missing_and_no_damage()
    {
        await Save(TestState.Large(1));
        Between(FileVerb.Read, 1, async _ => await _other.RemoveAsync(Stage, null, default));
        Assert.True((await Store.ReadAsync(Stage, 1, default)).IsMissing);
        Assert.Null(await Store.FindAsync(Stage, default));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(25)]
    public async Task A_newest_step_that_is_pruned_after_it_was_listed_is_looked_for_anew(int times)
    {
        await Save(TestState.Small("x"));
        Between(FileVerb.Scan, times, async _ =>
        {
            var saved = await _other.SaveAsync(Draft(TestState.Small("x")), default);
            await _other.RemoveAsync(Stage, [saved.Step - 1], default);
        });
        var found = await Store.FindAsync(Stage, default);
        Assert.NotNull(found);
        Assert.Equal(times + 1, found.Newest.Info!.Step);
    }

    [Fact]
    public async Task Beside_a_writer_that_never_rests_what_is_left_is_listed_and_no_step_more()
    {
        await Save(TestState.Small("x"));
        await Save(TestState.Small("y"));
        Between(FileVerb.Scan, 1000, async _ =>
        {
            var saved = await _other.SaveAsync(Draft(TestState.Small("y")), default);
            await _other.RemoveAsync(Stage, [saved.Step - 1], default);
        });
        var found = (await Store.FindAsync(Stage, default))!;
        Assert.Equal([1L], found.Steps);
        Assert.Equal(1, found.Newest.Info!.Step);
    }

    [Fact]
    public async Task Who_is_cancelled_reads_no_more()
    {
        for (var i = 0; i < 20; i++)
            await Save(TestState.Small("x"));
        using var source = new CancellationTokenSource();
        var reads = 0;
        _files.After = o =>
        {
            if (o.Verb == FileVerb.OpenRead && ++reads == 3)
                source.Cancel();
        };
        var engine = new CheckpointEngine(Store);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await engine.SaveAsync(Draft(), new RetentionPolicy { KeepFor = TimeSpan.FromDays(1) }, source.Token));
        Assert.Equal(3, reads);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.FindAsync(Stage, source.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.RecallAsync(Stage, source.Token));
        Assert.Equal(3, reads);
    }

    [Fact]
    public async Task A_stage_that_a_clearing_removes_after_it_was_listed_is_no_stage()
    {
        await Save(TestState.Small("x"));
        Between(FileVerb.Scan, 1, async _ => await _other.RemoveAsync(Stage, null, default));
        Assert.Null(await Store.FindAsync(Stage, default));
        Assert.Empty(await List(Store, new StageQuery { Pipeline = NamePattern.Any }));
    }

    [Fact]
    public async Task A_stage_that_is_cleared_while_stages_are_listed_is_passed_over()
    {
        for (var i = 0; i < 3; i++)
            await Save(stage: new StageId("nightly", null, $"s{i}"));
        var seen = new List<string>();
        await foreach (var stage in Store.ListAsync(new StageQuery { Pipeline = NamePattern.Any }, default))
        {
            seen.Add(stage.Stage.Name);
            await _other.RemoveAsync(new StageId("nightly", null, "s1"), null, default);
        }
        Assert.Equal(["s0", "s2"], seen);
    }

    [Fact]
    public async Task A_payload_that_is_open_is_read_to_its_end_whatever_becomes_of_it()
    {
        await Save(TestState.Large(1));
        var info = (await Store.ReadAsync(Stage, 1, default)).Info!;
        using var reader = await Store.OpenStateAsync(info, null, default);
        await _other.SaveAsync(Draft(TestState.Large(2), 1, overwrite: true), default);
        await _other.RemoveAsync(Stage, null, default);
        TestState.AssertEqual(TestState.Large(1), TestState.Read(reader));
        reader.Complete();
    }

    [Fact]
    public async Task Reading_takes_no_lock_and_changes_nothing()
    {
        await Save(TestState.Large(1));
        _files.Forget();
        var before = Temp.Files();
        await Restore();
        await Store.FindAsync(Stage, default);
        await List(Store, new StageQuery { Pipeline = NamePattern.Any });
        await new CheckpointEngine(Store).DecideAsync(Stage, null, null, null, default);
        Assert.DoesNotContain(_files.Operations, o => o.Changes || o.IsDeletion || o.Verb is FileVerb.LockDirectory or FileVerb.DeleteDirectory);
        Assert.Equal(before, Temp.Files());
    }

    [Fact]
    public async Task Reading_goes_on_beside_a_writer_that_holds_the_lock()
    {
        await Save(TestState.Large(1));
        using var writer = FileSystem.Current.OpenDirectory(StageFolder);
        Assert.Equal(LockResult.Taken, writer.TryLock());
        TestState.AssertEqual(TestState.Large(1), await Restore());
        Assert.Equal([1L], await Steps());
    }

    /// <summary>Does something after each of the first operations of a kind.</summary>
    private void Between(FileVerb verb, int times, Func<int, ValueTask<CheckpointInfo>> work) => Between(verb, times, async time => { await work(time); });

    private void Between(FileVerb verb, int times, Func<int, Task> work)
    {
        var time = 0;
        _files.After = o =>
        {
            if (o.Verb == verb && time < times)
                work(++time).GetAwaiter().GetResult();
        };
    }
}
