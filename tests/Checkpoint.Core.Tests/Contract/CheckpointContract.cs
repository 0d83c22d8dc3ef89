namespace Checkpoint.Tests;

/// <summary>Checkpoints: saved, found, listed, restored and removed.</summary>
public abstract class CheckpointContract : StoreContract
{
    [Fact]
    public async Task A_store_that_nobody_wrote_to_is_empty()
    {
        Assert.Null(await Store.FindAsync(Stage, default));
        Assert.Null(await Store.RecallAsync(Stage, default));
        Assert.True((await Store.ReadAsync(Stage, 1, default)).IsMissing);
        Assert.Empty(await List(new StageQuery { Pipeline = NamePattern.Any }));
        Assert.Equal(0, await Store.RemoveAsync(Stage, null, default));
    }

    [Fact]
    public async Task A_checkpoint_is_found_with_all_that_was_said_of_it()
    {
        var draft = Draft(TestState.Small("one")) with
        {
            Stage = new StageId("Nächtlich", "7/α", "Ingest 😀"),
            Fingerprint = FingerprintHash.Combine(new Dictionary<string, byte[]> { ["part"] = new byte[32] }),
            OutputFiles = new([new OutputFile("/srv/out.csv", 12, Noon, new string('a', 64))]),
        };
        var saved = await Store.SaveAsync(draft, default);

        var found = (await Open().ReadAsync(draft.Stage, 1, default)).Info!;

        Assert.Equal(("Nächtlich", "7/α", "Ingest 😀", 1L), (found.Pipeline, found.Run, found.Name, found.Step));
        Assert.Equal((Noon, draft.Fingerprint, 5L), (found.SavedAt, found.Fingerprint, found.Metadata["rows"]));
        Assert.Equal("/srv/out.csv", found.OutputFiles.Single().Path);
        Assert.Equal((saved.Revision, saved.Location, Store.Location), (found.Revision, found.Location, found.Store));
        Assert.Equal((Environment.MachineName, Environment.UserName, Environment.ProcessId), (found.Host, found.User, found.ProcessId));
        Assert.Equal(saved.StateSize, found.StateSize);
    }

    [Fact]
    public async Task Steps_go_on_from_the_latest_and_can_be_named()
    {
        Assert.Equal(1, (await Save()).Step);
        Assert.Equal(2, (await Save()).Step);
        Assert.Equal(0, (await Save(step: 0)).Step);
        Assert.Equal(long.MaxValue - 1, (await Save(step: long.MaxValue - 1)).Step);
        Assert.Equal(long.MaxValue, (await Open().SaveAsync(Draft(), default)).Step);

        Assert.Equal([long.MaxValue, long.MaxValue - 1, 2, 1, 0], await Steps());
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, await Fails(async () => await Save()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_step_that_is_there_is_left_alone_or_replaced_as_a_whole(bool large)
    {
        TestState State(int seed) => large ? TestState.Large(seed) : TestState.Small($"{seed}");
        await Save(State(1), 4);
        var first = (await Store.ReadAsync(Stage, 4, default)).Info!;

        Assert.Equal(CheckpointErrorKind.CheckpointExists, await Fails(async () => await Save(State(2), 4)));
        TestState.AssertEqual(State(1), (await Restore())!);

        await Save(State(3), 4, overwrite: true);
        TestState.AssertEqual(State(3), (await Restore())!);
        Assert.Equal([4L], await Steps());
        Assert.NotEqual(first.Revision, (await Store.ReadAsync(Stage, 4, default)).Info!.Revision);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5_000_000)]
    public async Task A_state_comes_back_byte_for_byte(int blob)
    {
        var state = TestState.Large(blob, blob);
        await Save(state);
        await Save();
        TestState.AssertEqual(state, (await Restore(1))!);
        Assert.Null(await Restore(2));
    }

    [Fact]
    public async Task A_save_whose_state_fails_leaves_nothing()
    {
        await Assert.ThrowsAsync<FormatException>(async () => await Store.SaveAsync(Draft(new Failing()), default));

        Assert.Empty(await List(new StageQuery { Pipeline = NamePattern.Any, WithLeftovers = true }));
        Assert.Equal(1, (await Save()).Step);
    }

    [Fact]
    public async Task Stages_are_listed_in_the_order_of_pipeline_run_and_name_and_runs_apart()
    {
        foreach (var (pipeline, run, name) in new[] { ("b", null, "x"), ("a", null, "Z"), ("a", null, "y"), ("a", "2", "y"), ("a", "1", "y"), ("a", null, "é") })
            await Save(stage: new StageId(pipeline, run, name));

        Assert.Equal(["a y", "a Z", "a é", "b x"], (await List(new StageQuery { Pipeline = NamePattern.Any })).Select(l => $"{l.Stage.Pipeline} {l.Stage.Name}"));
        Assert.Equal(["1", "2"], (await List(new StageQuery { Pipeline = NamePattern.Of("A"), Run = NamePattern.Any })).Select(l => l.Stage.Run));
        Assert.Equal(["Z"], (await List(new StageQuery { Pipeline = NamePattern.Of("a"), Name = NamePattern.Of("z") })).Select(l => l.Stage.Name));
        Assert.Equal(["y"], (await List(new StageQuery { Pipeline = NamePattern.Any, Name = NamePattern.Where(n => n == "y") })).Select(l => l.Stage.Name));
    }

    [Fact]
    public async Task Names_that_differ_in_case_or_form_alone_are_the_same()
    {
        await Save(stage: new StageId("P", "R", "E\u0301"));
        await Save(stage: new StageId("p", "r", "é"));

        var listing = Assert.Single(await List(new StageQuery { Pipeline = NamePattern.Any, Run = NamePattern.Any }));
        Assert.Equal([2L, 1], listing.Steps);
        Assert.Equal("é", listing.Stage.Name);
    }

    [Fact]
    public async Task Steps_are_removed_and_the_rest_stays()
    {
        for (var i = 1; i <= 4; i++)
            await Save(TestState.Large(i));
        var third = (await Store.ReadAsync(Stage, 3, default)).Info!;

        Assert.Equal(2, await Store.RemoveAsync(Stage, [1, 2, 77], default));
        Assert.Equal([4L, 3], await Steps());
        Assert.Equal(0, await Store.RemoveAsync(Stage, [new DoomedStep(3, "another")], default));
        Assert.Equal(1, await Store.RemoveAsync(Stage, [new DoomedStep(third)], default));
        TestState.AssertEqual(TestState.Large(4), (await Restore())!);

        Assert.Equal(1, await Store.RemoveAsync(Stage, null, default));
        Assert.Empty(await Steps());
        Assert.Equal(1, (await Save()).Step);
    }

    [Fact]
    public async Task The_encryption_of_a_record_is_replaced_only_while_it_is_the_one_that_was_read()
    {
        var (oldKey, newKey) = (CheckpointKey.FromText("one", ""), CheckpointKey.FromText("two", ""));
        var engine = new CheckpointEngine(Store, key: oldKey);
        await engine.SaveAsync(Draft(TestState.Large(1)), new RetentionPolicy(), default);

        Assert.True(await engine.ChangeTo(newKey).ApplyAsync(Stage, 1, default));

        Assert.False(await engine.ChangeTo(newKey).ApplyAsync(Stage, 1, default));
        TestState.AssertEqual(TestState.Large(1), (await new CheckpointEngine(Open(), key: newKey).RestoreAsync(Stage, null, TestState.Read, null, default)).State!);
        Assert.Equal(CheckpointErrorKind.KeyWrong, await Fails(async () => await new CheckpointEngine(Open(), key: oldKey).RestoreAsync(Stage, null, TestState.Read, null, default)));
    }

    [Fact]
    public async Task Writers_of_one_stage_lose_and_double_no_step_and_readers_find_what_is_whole()
    {
        const int Writers = 4, Saves = 20;
        var steps = new System.Collections.Concurrent.ConcurrentBag<long>();
        var writing = Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var store = Open();
            for (var i = 0; i < Saves; i++)
                steps.Add((await store.SaveAsync(Draft(i % 5 == 0 ? TestState.Large(i) : TestState.Small($"{writer} {i}")), default)).Step);
        })).ToArray();
        var all = Task.WhenAll(writing);
        var store = Open();
        while (!all.IsCompleted)
        {
            if (await store.FindAsync(Stage, default) is { } found)
                Assert.NotNull((await new CheckpointEngine(new DelegatingStore(store) { HasHistory = false }).RestoreAsync(Stage, found.Steps[0], TestState.Read, null, default)).State);
        }
        await all;

        Assert.Equal(Enumerable.Range(1, Writers * Saves).Select(i => (long)i), steps.Order());
        Assert.Equal(steps.OrderDescending(), await Steps());
    }

    private sealed class Failing : IStateSource
    {
        public bool IsSequence => false;

        public void WriteTo(StateWriter writer, CancellationToken cancellation)
        {
            TestState.Large(1).WriteTo(writer, cancellation);
            throw new FormatException();
        }
    }
}
