namespace Checkpoint.Tests;

public sealed class RunWatchTests : PipelineTest
{
    [Fact]
    public async Task It_waits_for_a_run_tells_what_came_and_ends_with_the_run()
    {
        Time.WaitsAreShort = true;
        var told = new List<string>();
        var looks = 0;
        await foreach (var (run, news, _) in new RunWatch(new ReportBuilder(Engine, Time), Time).FollowAsync(new(), default))
        {
            told.Add($"{run?.Status}: {string.Join(' ', news.Select(e => e.Event))}");
            if (++looks == 2)
                await Run("a");
        }
        Assert.Equal([": ", ": ", "Completed: LeaseTaken RunStarted StageStarted Saved StageCompleted RunCompleted"], told);
    }

    [Fact]
    public async Task It_stays_with_the_run_that_it_follows()
    {
        Time.WaitsAreShort = true;
        var followed = new List<string?>();
        OnRun = name =>
        {
            OnRun = null;
            var looks = 0;
            using var enough = new CancellationTokenSource();
            var watch = Task.Run(async () =>
            {
                await foreach (var (run, _, _) in new RunWatch(new ReportBuilder(Engine, Time), Time).FollowAsync(new(), enough.Token))
                {
                    followed.Add(run!.Pipeline);
                    if (++looks == 1)
                        await new PipelineRunner(Engine, this, Time).RunAsync(Request("x") with { Pipeline = "other" }, default);
                    if (looks == 3)
                        await enough.CancelAsync();
                }
            });
            Assert.ThrowsAny<OperationCanceledException>(() => watch.GetAwaiter().GetResult());
        };
        await Run("a");
        Assert.Equal(["p", "p", "p"], followed);
    }

    [Fact]
    public async Task Of_several_the_newest_is_meant_and_a_run_before_what_has_none()
    {
        await Run("a");
        await Run("a b");
        await Save(stage: new("script", null, "s"), savedAt: Noon.AddYears(1));
        await foreach (var (run, _, _) in new RunWatch(new ReportBuilder(Engine, Time), Time).FollowAsync(new(), default))
            Assert.Equal(2, run!.Stages.Count);
    }

    [Fact]
    public async Task One_at_work_is_meant_before_a_newer_one_that_ended()
    {
        ReportRun? first = null;
        OnRun = _ =>
        {
            OnRun = null;
            Time.Advance(TimeSpan.FromMinutes(1));
            first = Task.Run(async () =>
            {
                await new PipelineRunner(Engine, this, Time).RunAsync(Request("x") with { Pipeline = "other" }, default);
                return (await First(Watch(Store))).Run;
            }).GetAwaiter().GetResult();
        };
        await Run("a");
        Assert.Equal(("p", RunStatus.Running), (first!.Pipeline, first.Status!.Value));
    }

    [Fact]
    public async Task What_is_followed_stays_so_though_a_run_begins()
    {
        Time.WaitsAreShort = true;
        await Save(stage: new("script", null, "s"));
        var followed = new List<string>();
        await foreach (var (run, _, _) in Watch(Store))
        {
            followed.Add(run!.Pipeline);
            if (followed.Count == 2)
                break;
            await Run("a");
        }
        Assert.Equal(["script", "script"], followed);
    }

    [Fact]
    public async Task What_is_told_is_of_the_run_alone()
    {
        await Run("a");
        var id = Assert.Single(await Runs()).Run;
        await Engine.SaveAsync(Draft(stage: new("p", null, "s")), new RetentionPolicy(), default);
        await Engine.SaveAsync(Draft(stage: new("p", "another", "s")), new RetentionPolicy(), default);
        await Engine.SaveAsync(Draft(stage: new("other", id, "s")), new RetentionPolicy(), default);
        var (run, news, _) = await First(Watch(Store));
        Assert.Equal(("p", id), (run!.Pipeline, run.Run));
        Assert.NotEmpty(news);
        Assert.All(news, e => Assert.Equal(("p", id), (e.Pipeline, e.Run)));
    }

    [Fact]
    public async Task It_ends_with_a_run_that_failed_too()
    {
        Failing.Add("a");
        await Run("a");
        var seen = new List<RunStatus?>();
        await foreach (var (run, _, _) in Watch(Store))
            seen.Add(run!.Status);
        Assert.Equal([RunStatus.Failed], seen);
    }

    [Fact]
    public async Task What_scripts_save_without_a_runner_has_no_end_and_is_read_again_only_where_it_may_have_changed()
    {
        Time.WaitsAreShort = true;
        await Save(stage: new("script", null, "s"));
        var listed = 0;
        var looks = new List<int>();
        await foreach (var (run, _, _) in Watch(new DelegatingStore(Store) { OnList = _ => listed++ }))
        {
            Assert.Equal("script", run!.Pipeline);
            looks.Add(listed);
            if (looks.Count == 3)
                break;
        }
        Assert.Equal(looks[0], looks[2]);
    }

    [Theory]
    [InlineData(100, 500)]
    [InlineData(2000, 8000)]
    public async Task Reading_takes_no_more_than_a_fifth_of_the_time(int took, int pause)
    {
        Time.WaitsAreShort = true;
        var looks = 0;
        await foreach (var _ in Watch(new DelegatingStore(Store) { OnHistory = () => Time.Advance(TimeSpan.FromMilliseconds(took)) }))
        {
            if (++looks == 2)
                break;
        }
        Assert.Equal([pause], Time.Waits.Select(w => w.TotalMilliseconds));
    }

    [Fact]
    public async Task Once_a_run_is_followed_a_store_that_is_away_for_a_moment_ends_nothing_and_what_happened_meanwhile_is_told()
    {
        Time.WaitsAreShort = true;
        CheckpointException? fault = null;
        var store = new DelegatingStore(Store) { OnHistory = () => _ = fault is null ? 0 : throw fault };
        var seen = new List<string>();
        var told = new List<string>();
        var waits = new List<int>();
        var watching = Task.CompletedTask;
        var hasEnded = false;
        using var isAway = new ManualResetEventSlim();
        OnRun = _ =>
        {
            OnRun = null;
            watching = Task.Run(async () =>
            {
                await foreach (var (run, news, away) in Watch(store))
                {
                    var what = away?.Message ?? $"{run!.Status}";
                    if (seen.LastOrDefault() != what)
                        seen.Add(what);
                    told.AddRange(news.Select(e => e.Event));
                    if (away is null)
                    {
                        fault = isAway.IsSet ? null : CheckpointErrors.Unusable("x", "it is gone");
                        continue;
                    }
                    waits.Add(Time.Waits.Count);
                    isAway.Set();
                    if (waits.Count > 2 && hasEnded)
                        fault = null;
                }
            });
            isAway.Wait();
        };
        await Run("a");
        hasEnded = true;
        await watching;
        Assert.Equal(["Running", CheckpointErrors.Unusable("x", "it is gone").Message, "Completed"], seen);
        Assert.Equal("LeaseTaken RunStarted StageStarted Saved StageCompleted RunCompleted", string.Join(' ', told));
        Assert.Equal(waits.Distinct(), waits);
    }

    [Fact]
    public async Task Any_other_fault_ends_it_and_so_does_a_store_that_is_away_before_there_is_a_run()
    {
        CheckpointException fault = CheckpointErrors.Unusable("x", "it is gone");
        var store = new DelegatingStore(Store) { OnHistory = () => throw fault };
        Assert.Same(fault, await Assert.ThrowsAsync<CheckpointException>(() => First(Watch(store))));

        Time.WaitsAreShort = true;
        await Save();
        fault = CheckpointErrors.Damaged(Stage, 1, "there", "it is torn");
        var looks = 0;
        store.OnHistory = () => _ = ++looks == 1 ? 0 : throw fault;
        Assert.Same(fault, await Assert.ThrowsAsync<CheckpointException>(async () =>
        {
            await foreach (var _ in Watch(store))
            {
            }
        }));
    }

    private IAsyncEnumerable<(ReportRun? Run, IReadOnlyList<ReportEvent> News, CheckpointException? Fault)> Watch(CheckpointStore store) =>
        new RunWatch(new ReportBuilder(new CheckpointEngine(store, Time), Time), Time).FollowAsync(new(), default);

    private static async Task<T> First<T>(IAsyncEnumerable<T> all)
    {
        await foreach (var one in all)
            return one;
        throw new InvalidOperationException("There is none.");
    }
}
