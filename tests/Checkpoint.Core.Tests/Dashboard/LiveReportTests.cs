namespace Checkpoint.Tests;

public sealed class LiveReportTests
{
    private readonly ManualTime _time = new();
    private CheckpointReport _now = Reported.Report(Reported.Run(Reported.Stage("a")), Reported.Run() with { Run = "8" }) with { History = [Reported.Line(1)] };
    private CheckpointException? _fault;

    [Fact]
    public async Task Who_knows_the_newest_version_is_told_only_what_changes_then()
    {
        using var live = Live();
        var (_, version) = await live.ReadAsync(default);
        using var listener = await live.ListenAsync(version, default);
        Assert.False(listener.News.TryRead(out _));

        _now = _now with { Runs = [_now.Runs[0] with { Status = RunStatus.Failed }, Reported.Run() with { Run = "9" }], History = [.. _now.History, Reported.Line(2), Reported.Line(3, pipeline: "other")] };
        await live.ReadAsync(default);

        Assert.True(listener.News.TryRead(out var news));
        Assert.Equal((version + 1, false), (news.Version, news.IsWhole));
        Assert.Equal(["7", "9"], news.Runs.Select(r => r.Run));
        Assert.Equal([new RunName("nightly", "8")], news.Gone);
        Assert.Equal([Reported.Line(2), Reported.Line(3, pipeline: "other")], news.History);
        await live.ReadAsync(default);
        Assert.False(listener.News.TryRead(out _));
    }

    [Fact]
    public async Task Who_knows_an_older_version_is_told_all()
    {
        using var live = Live();
        using var listener = await live.ListenAsync(0, default);
        Assert.True(listener.News.TryRead(out var news));
        Assert.True(news.IsWhole);
        Assert.Equal(2, news.Runs.Count);
        Assert.Single(news.History);
    }

    [Fact]
    public async Task A_history_that_lost_lines_is_told_anew()
    {
        using var live = Live();
        using var listener = await live.ListenAsync((await live.ReadAsync(default)).Version, default);
        _now = _now with { History = [] };
        await live.ReadAsync(default);
        Assert.True(listener.News.TryRead(out var news));
        Assert.True(news.IsWhole);
    }

    [Fact]
    public async Task A_store_that_cannot_be_reached_is_told_and_what_was_known_stays()
    {
        using var live = Live();
        using var listener = await live.ListenAsync((await live.ReadAsync(default)).Version, default);
        _fault = CheckpointErrors.Damaged(new StageId("p", null, "s"), 1, "there", "it is away", null);
        var (report, _) = await live.ReadAsync(default);
        Assert.Equal(2, report.Runs.Count);
        Assert.Contains("it is away", Assert.Single(report.Problems), StringComparison.Ordinal);
        Assert.True(listener.News.TryRead(out var news));
        Assert.Empty(news.Runs);
        Assert.Single(news.Problems);
        _fault = null;
        await live.ReadAsync(default);
        Assert.True(listener.News.TryRead(out news));
        Assert.Empty(news.Problems);
    }

    [Fact]
    public async Task Who_does_not_listen_any_more_is_given_up_and_asks_again_for_all()
    {
        using var live = Live();
        using var listener = await live.ListenAsync((await live.ReadAsync(default)).Version, default);
        for (var i = 0; i < 100; i++)
        {
            _now = _now with { History = [.. _now.History, Reported.Line(i + 2)] };
            await live.ReadAsync(default);
        }
        var told = 0;
        await foreach (var _ in listener.News.ReadAllAsync(default))
            told++;
        Assert.InRange(told, 1, 99);
    }

    [Fact]
    public async Task Nothing_is_read_while_nobody_listens()
    {
        var reads = 0;
        using var live = new LiveReport((_, _) =>
        {
            reads++;
            return new(_now);
        }, _time);
        using var stop = new CancellationTokenSource();
        var following = live.FollowAsync(stop.Token);
        for (var i = 0; i < 10; i++)
            _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, reads);
        using (await live.ListenAsync(0, default))
        {
            for (var i = 0; i < 1000 && reads < 3; i++)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }
        }
        Assert.True(reads >= 3);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    private LiveReport Live() => new((_, _) => _fault is null ? new(_now with { AsWritten = _now.History }) : throw _fault, _time);
}
