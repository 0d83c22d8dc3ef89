namespace Checkpoint.Tests;

/// <summary>Items that several processes work on together: each is done by one of them, and those of a dead one come back.</summary>
public abstract class ItemContract : StoreContract
{
    private static readonly ItemWork Shared = new() { Stage = Stage, IsShared = true, ContinueOnError = true };

    [DriverFact]
    public async Task Each_item_is_done_by_one_of_two_and_both_end_when_all_are_done()
    {
        using var first = await Join(Open());
        using var second = await Join(Open());
        first.AddAll("a b c d e f");
        second.AddAll("a b c d e f");
        // By turns: who is asked later claims what is left.
        while (first.Go(1) | second.Go(1))
            await Task.CompletedTask;
        Assert.Equal("a b c d e f", string.Join(' ', first.Did.Concat(second.Did).Order()));
        Assert.NotEmpty(first.Did);
        Assert.NotEmpty(second.Did);
        Assert.Equal((6, 6), (first.Run.Counts.Done + first.Run.Counts.Skipped, second.Run.Counts.Done + second.Run.Counts.Skipped));

        var saved = new[] { await first.Run.CompleteAsync(default), await second.Run.CompleteAsync(default) };
        Assert.Single(saved, s => s.Saved is not null);
        Assert.Equal([1], await Steps());
    }

    [DriverFact]
    public async Task What_a_dead_one_had_claimed_is_done_by_another()
    {
        var dead = await Join(Open(), atOnce: 3);
        dead.AddAll("a b c");
        Assert.True(dead.Go(1));
        using var living = await Join(Open());
        living.AddAll("a b c d");
        while (living.Go(1))
            await Task.CompletedTask;
        Assert.DoesNotContain(dead.Did[0], living.Did);
        Assert.True(living.IsOpen);
        dead.Dispose();
        await living.Run.WaitForOthersAsync(TimeSpan.Zero, default);
        while (living.Go(1))
            await Task.CompletedTask;
        Assert.False(living.IsOpen);
        Assert.Equal("a b c d", string.Join(' ', dead.Did.Concat(living.Did).Order()));
    }

    [DriverFact]
    public async Task What_failed_with_one_is_not_tried_by_the_other_and_both_tell_of_it()
    {
        using var first = await Join(Open());
        using var second = await Join(Open(), Shared with { RetryFailed = true });
        first.Failing = "a";
        first.AddAll("a");
        second.AddAll("a");
        Assert.True(first.Go(1));
        Assert.False(second.Go(1));
        first.Run.Journal.Flush();
        Assert.False(second.Go(1));
        Assert.False(second.IsOpen);
        foreach (var run in new[] { first.Run, second.Run })
            Assert.Equal(CheckpointErrorKind.StageFailed, (await run.CompleteAsync(default)).Error!.Kind);
        Assert.Empty(second.Did);

        using var third = await Join(Open(), Shared with { RetryFailed = true });
        third.AddAll("a");
        Assert.True(third.Go(1));
        Assert.NotNull((await third.Run.CompleteAsync(default)).Saved);
    }

    [DriverFact]
    public async Task Those_who_work_together_and_one_who_works_alone_keep_each_other_out()
    {
        using (var worker = await Join(Open()))
        {
            worker.AddAll("a");
            Assert.True(worker.Go(1));
            Assert.Equal(CheckpointErrorKind.LeaseHeld, await Fails(async () => await Start(Open(), Shared with { IsShared = false })));
            Assert.Equal(CheckpointErrorKind.LeaseHeld, await Fails(async () => await Open().RemoveAsync(Stage, null, default)));
            Assert.NotNull(await Open().FindLeaseAsync(new LeaseName(Stage), default));
            // Another name of the same beginning is another stage.
            Assert.Null(await Open().FindLeaseAsync(new LeaseName(new StageId(Stage.Pipeline, null, Stage.Name + "~1")), default));
        }
        using (await Start(Open(), Shared with { IsShared = false }))
            Assert.Equal(CheckpointErrorKind.LeaseHeld, await Fails(async () => (await Join(Open())).Dispose()));
        await Open().RemoveAsync(Stage, null, default);
        using var next = await Join(Open());
        next.AddAll("a");
        Assert.True(next.Go(1));
    }

    [DriverFact]
    public async Task Who_has_the_lease_of_a_stage_clears_its_items_and_nobody_else_does()
    {
        using (var alone = await Start(Open(), Shared with { IsShared = false }))
            Assert.Null(alone.TryDone(ItemId.Of("a"), "a", null, out _, default));
        var (lease, _) = await Open().TryLeaseAsync(new LeaseName(Stage), LeaseHolder.Self(TimeProvider.System), TimeSpan.FromMinutes(10), default);
        Assert.Equal(CheckpointErrorKind.LeaseHeld, await Fails(async () => await Open().RemoveAsync(Stage, null, default)));
        // It does not know yet that another has it.
        Assert.Equal(CheckpointErrorKind.LeaseLost, await Fails(async () => await Open().RemoveAsync(Stage, null, lease!.Fence with { Token = lease!.Token - 1 }, default)));
        Assert.True((await Open().ListAsync(new StageQuery { Pipeline = NamePattern.Any, Name = NamePattern.Any, WithLeftovers = true }, default).SingleAsync()).HasItems);
        await Open().RemoveAsync(Stage, null, lease!.Fence, default);
        lease!.Dispose();
        using var next = await Start(Open(), Shared with { IsShared = false });
        Assert.Equal(ItemDecision.Run, next.Next(ItemId.Of("a")));
    }

    [DriverFact]
    public async Task Who_lost_its_lease_before_its_first_item_takes_no_completion_back()
    {
        foreach (var work in new[] { Shared, Shared with { IsShared = false } })
        {
            using var stopped = await Start(Open(), work);
            // It is lost, and its holder does not know.
            stopped.Lease.Dispose();
            using (var other = await Start(Open(), work))
            {
                other.Next(ItemId.Of("a"));
                await other.BeginItemAsync(default);
                Assert.Null(other.TryDone(ItemId.Of("a"), "a", null, out _, default));
                Assert.NotNull((await other.CompleteAsync(default)).Saved);
            }
            Assert.Equal(ItemDecision.Run, stopped.Next(ItemId.Of("a")));
            Assert.Equal(CheckpointErrorKind.LeaseLost, await Fails(async () => await stopped.BeginItemAsync(default)));
            Assert.Equal([1], await Steps());
            await Open().RemoveAsync(Stage, null, default);
        }
    }

    [DriverFact]
    public async Task Whose_number_another_has_by_now_does_not_complete_the_stage()
    {
        var store = new DelegatingStore(Open());
        using var stopped = await Join(store);
        stopped.AddAll("a");
        Assert.True(stopped.Go(1));
        // Between its last look at its lease and the save.
        store.BeforeSave = async () =>
        {
            stopped.Run.Lease.Dispose();
            Assert.NotNull((await Open().TryLeaseAsync(stopped.Run.Lease.Name, LeaseHolder.Self(TimeProvider.System), TimeSpan.FromMinutes(10), default)).Lease);
        };
        Assert.Equal(CheckpointErrorKind.LeaseLost, await Fails(async () => await stopped.Run.CompleteAsync(default)));
        Assert.Empty(await Steps());
    }

    [DriverFact]
    public async Task What_each_has_kept_of_its_items_all_can_read_then_and_later()
    {
        using (var first = await Join(Open()))
        using (var second = await Join(Open()))
        {
            first.Output = Large(1);
            second.Output = Large(2);
            first.AddAll("a");
            Assert.True(first.Go(1));
            second.AddAll("b");
            Assert.True(second.Go(1));
            first.Run.Journal.Flush();
            second.Run.Journal.Flush();
            foreach (var run in new[] { first.Run, second.Run })
            {
                run.Journal.ReadOn(default);
                AssertKept(run.Journal);
            }
        }
        using (var alone = await Start(Open(), Shared with { IsShared = false }))
            AssertKept(alone.Journal);
        Assert.Empty(await Open().VerifyAsync(new StoreScope(), null, default).ToListAsync());
    }

    [DriverFact]
    public async Task Another_who_takes_the_number_of_a_dead_one_has_not_its_claims()
    {
        var dead = await Join(Open(), atOnce: 3);
        dead.AddAll("a b c");
        Assert.True(dead.Go(1));
        dead.Dispose();
        using var next = await Join(Open());
        Assert.Equal(1, next.Run.Lease.Name.Worker);
        next.AddAll("a b c");
        while (next.Go(1))
            await Task.CompletedTask;
        Assert.Equal("a b c", string.Join(' ', dead.Did.Concat(next.Did).Order()));
    }

    [DriverFact]
    public async Task A_report_counts_the_items_and_says_why_some_failed()
    {
        var store = Open();
        ItemEntry Entry(string key, string? error) => new() { Id = ItemId.Of(key), Key = key, At = Noon, Error = error };
        using (var log = await store.OpenItemsAsync(Stage, default))
        {
            log.Append([Entry("a", null), Entry("b", "first broke"), Entry("größe \n", "broke\nin two")], default);
            log.Append([Entry("b", "broke again")], default);
            log.Append([Entry("c", "broke once"), Entry("c", null)], default);
        }
        var report = await new ReportBuilder(new CheckpointEngine(store), TimeProvider.System).BuildAsync(new(), default);
        var items = Assert.Single(Assert.Single(report.Runs).Stages).Items!;
        Assert.Equal((2, 2), (items.Done, items.Failed));
        Assert.Equal(["größe \n: broke\nin two", "b: broke again"], items.Failures.Select(f => $"{f.Key}: {f.Error}"));
        Assert.Equal(Noon, items.Failures[0].At);
    }

    private static void AssertKept(ItemJournal journal)
    {
        foreach (var (key, state) in new[] { ("a", Large(1)), ("b", Large(2)) })
        {
            using var reader = journal.OpenOutput(ItemId.Of(key))!;
            TestState.AssertEqual(state, TestState.Read(reader));
        }
    }

    // As the output of an item: a list.
    private static TestState Large(int seed) => new("[]", TestState.Large(seed).Blob, isSequence: true);

    private static async Task<ItemRun> Start(CheckpointStore store, ItemWork work) => await ItemRun.StartAsync(new CheckpointEngine(store), work, TimeProvider.System, null, default);

    private static Task<SharedWorker> Join(CheckpointStore store, ItemWork? work = null, int atOnce = 1) => SharedWorker.Join(new CheckpointEngine(store), work ?? Shared, TimeProvider.System, atOnce);
}
