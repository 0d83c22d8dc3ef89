namespace Checkpoint.Tests;

public sealed class ItemRunTests : EngineTest
{
    private readonly List<string> _ran = [];
    private readonly HashSet<string> _failing = [];

    [Fact]
    public async Task A_stage_is_complete_when_all_items_are_done_and_says_how_many()
    {
        var (saved, error) = await Do("a b c b");
        Assert.Null(error);
        Assert.Equal("Items=3 Done=3 Skipped=0 Doubled=1", string.Join(' ', saved!.Metadata.Select(m => $"{m.Key}={m.Value}")));
        Assert.Equal("a b c", string.Join(' ', _ran));
    }

    [Fact]
    public async Task What_was_done_is_not_run_again_in_whatever_order_it_comes()
    {
        await Do("a b");
        _ran.Clear();
        var (saved, _) = await Do("c b d a");
        Assert.Equal("c d", string.Join(' ', _ran));
        Assert.Equal("Items=4 Done=2 Skipped=2 Doubled=0", string.Join(' ', saved!.Metadata.Select(m => $"{m.Key}={m.Value}")));
    }

    [Fact]
    public async Task With_nothing_to_do_a_complete_stage_is_left_as_it_is()
    {
        var (first, _) = await Do("a");
        Assert.Null((await Do("a")).Saved);
        Assert.Equal([first!.Step], await Steps());
    }

    [Fact]
    public async Task A_complete_stage_is_not_while_more_items_are_being_done()
    {
        await Do("a");
        _failing.Add("b");
        Assert.NotNull((await Do("a b", w => w with { ContinueOnError = true })).Error);
        Assert.Empty(await Steps());
        _failing.Clear();
        Assert.NotNull((await Do("a b", w => w with { RetryFailed = true })).Saved);
    }

    [Fact]
    public async Task What_somebody_saved_under_the_same_name_stays()
    {
        await Save(TestState.Small("mine"));
        await Save(metadata: new() { ["Items"] = 3L });
        await Do("a");
        await Do("b");
        Assert.Equal([3, 2, 1], await Steps());
    }

    [Fact]
    public async Task Without_an_item_a_stage_is_not_complete()
    {
        Assert.Equal(default, await Do(""));
        Assert.Empty(await Steps());
    }

    [Fact]
    public async Task The_failure_that_stops_the_rest_is_tried_again_by_the_next_call()
    {
        _failing.Add("b");
        Assert.NotNull((await Do("a b c")).Error);
        Assert.Equal("a b", string.Join(' ', _ran));
        _failing.Clear();
        Assert.NotNull((await Do("a b c")).Saved);
        Assert.Equal("a b b c", string.Join(' ', _ran));
    }

    [Fact]
    public async Task With_ContinueOnError_what_failed_is_left_alone_until_it_is_asked_for()
    {
        _failing.Add("b");
        var (_, error) = await Do("a b c", w => w with { ContinueOnError = true });
        Assert.Equal(CheckpointErrorKind.StageFailed, error!.Kind);
        Assert.Contains("1 of 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("'b': b broke", error.Message, StringComparison.Ordinal);
        Assert.Equal("a b c", string.Join(' ', _ran));

        _failing.Clear();
        Assert.Contains("-RetryFailed", (await Do("a b c")).Error!.Message, StringComparison.Ordinal);
        Assert.Equal("a b c", string.Join(' ', _ran));

        Assert.NotNull((await Do("a b c", w => w with { RetryFailed = true })).Saved);
        Assert.Equal("a b c b", string.Join(' ', _ran));
    }

    [Fact]
    public async Task MaxError_stops_at_so_many_failures_and_not_before()
    {
        _failing.UnionWith(["a", "c", "e"]);
        Assert.NotNull((await Do("a b c d e f", w => w with { MaxError = 2 })).Error);
        Assert.Equal("a b c", string.Join(' ', _ran));
    }

    [Fact]
    public async Task A_failure_is_tried_again_as_the_policy_has_it()
    {
        _failing.Add("a");
        Time.WaitsAreShort = true;
        var retry = new RetryPolicy { Retry = 3, Delay = TimeSpan.FromSeconds(1), Backoff = 2 };
        var (_, error) = await Do("a", w => w with { Retry = retry });
        Assert.NotNull(error);
        Assert.Equal("a a a a", string.Join(' ', _ran));
        Assert.Equal([1, 2, 4], Time.Waits.Where(w => w >= TimeSpan.FromSeconds(1)).Select(w => (int)w.TotalSeconds));
    }

    [Fact]
    public async Task Two_at_once_are_one_too_many()
    {
        using (await Start(w => w))
        {
            var error = await Assert.ThrowsAsync<CheckpointException>(() => Start(w => w));
            Assert.Equal(CheckpointErrorKind.LeaseHeld, error.Kind);
            Assert.Contains($"process {Environment.ProcessId}", error.Message, StringComparison.Ordinal);
        }
        (await Start(w => w)).Dispose();
    }

    [Fact]
    public async Task The_history_tells_of_it()
    {
        _failing.Add("b");
        await Do("a b");
        _failing.Clear();
        await Do("a b");
        var events = new List<string>();
        await foreach (var e in Store.ReadHistoryAsync(NamePattern.Any, default))
            events.Add(e.Event);
        Assert.Equal(["LeaseTaken", "StageStarted", "StageFailed", "LeaseTaken", "StageStarted", "Saved", "StageCompleted"], events);
    }

    [Fact]
    public async Task The_history_tells_too_of_a_failure_of_no_item_that_ends_it()
    {
        using (var run = await Start(w => w))
        {
            await run.BeginItemAsync(default);
            run.Broke(new InvalidOperationException("no key"));
        }
        var events = new List<string>();
        await foreach (var e in Store.ReadHistoryAsync(NamePattern.Any, default))
            events.Add($"{e.Event} {e.Reason}");
        Assert.Equal(["LeaseTaken ", "StageStarted ", "StageFailed no key"], events);
    }

    [UnixFact]
    public async Task Who_lost_the_lease_does_not_complete_the_stage()
    {
        using var run = await Start(w => w);
        Assert.Equal(ItemDecision.Run, run.Next(ItemId.Of("a")));
        await run.BeginItemAsync(default);
        Assert.Null(run.TryDone(ItemId.Of("a"), "a", null, out _, default));
        File.Delete(FolderLayout.LeasePath(Root, new LeaseName(Stage)));
        Assert.Equal(CheckpointErrorKind.LeaseLost, (await Assert.ThrowsAsync<CheckpointException>(async () => await run.CompleteAsync(default))).Kind);
        Assert.Empty(await Steps());
    }

    [UnixFact]
    public async Task Who_lost_the_lease_writes_nothing_more_over_what_the_other_writes_and_calls_nothing_done()
    {
        using var first = await Start(w => w);
        await first.BeginItemAsync(default);
        first.TryDone(ItemId.Of("a"), "a", null, out _, default);
        File.Delete(FolderLayout.LeasePath(Root, new LeaseName(Stage)));
        Time.Advance(ItemJournal.Window);
        using (var second = await Start(w => w))
        {
            second.TryDone(ItemId.Of("b"), "b", null, out _, default);
            Assert.Equal(CheckpointErrorKind.LeaseLost, Assert.Throws<CheckpointException>(() => first.TryDone(ItemId.Of("c"), "c", null, out _, default)).Kind);
            second.TryDone(ItemId.Of("d"), "d", null, out _, default);
        }
        Assert.Equal(1, first.Counts.Done);
        Assert.Single(await Store.ReadHistoryAsync(NamePattern.Any, default).ToListAsync(), e => e.Event == CheckpointEvents.LeaseLost);
        first.Dispose();

        using var next = await Start(w => w);
        Assert.Equal(0, next.Journal.Damaged);
        Assert.Equal("Done Done Run Done", string.Join(' ', "abcd".Select(key => next.Next(ItemId.Of(key.ToString())))));
    }

    private async Task<ItemRun> Start(Func<ItemWork, ItemWork> change) => await ItemRun.StartAsync(Engine, change(new ItemWork { Stage = Stage }), Time, null, default);

    private async Task<(CheckpointInfo? Saved, CheckpointException? Error)> Do(string items, Func<ItemWork, ItemWork>? change = null)
    {
        using var run = await Start(change ?? (w => w));
        foreach (var key in items.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var id = ItemId.Of(key);
            if (run.IsStopped || run.Next(id) != ItemDecision.Run)
                continue;
            await run.BeginItemAsync(default);
            if (run.Attempt(_ => Attempt(key), (_, _, _) => { }, default) is { } error)
                run.Failed(id, key, error);
            else
                Assert.Null(run.TryDone(id, key, null, out _, default));
        }
        return await run.CompleteAsync(default);
    }

    private void Attempt(string key)
    {
        _ran.Add(key);
        if (_failing.Contains(key))
            throw new InvalidOperationException($"{key} broke");
    }
}
