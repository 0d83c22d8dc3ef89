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
}
