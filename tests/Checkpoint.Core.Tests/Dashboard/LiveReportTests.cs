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
    public async Task What_the_history_does_not_tell_of_is_told_too()
    {
        using var live = Live();
        using var listener = await live.ListenAsync((await live.ReadAsync(default)).Version, default);
        _now = _now with { Runs = [_now.Runs[0] with { Stages = [Reported.Stage("a") with { Items = new ReportItems(1, 0, []) }] }, _now.Runs[1]] };
        await live.ReadAsync(default);
        Assert.True(listener.News.TryRead(out var news));
        Assert.Equal("7", Assert.Single(news.Runs).Run);
        _now = _now with { Runs = [_now.Runs[0]] };
        await live.ReadAsync(default);
        Assert.True(listener.News.TryRead(out news));
        Assert.Equal([new RunName("nightly", "8")], news.Gone);
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
        // One that was begun may still come to its end.
        var last = reads + 1;
        for (var i = 0; i < 10; i++)
        {
            var waits = _time.Waits.Count;
            while (_time.Waits.Count == waits)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }
        }
        Assert.InRange(reads, 0, last);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    [Theory]
    [InlineData(100, 500)]
    [InlineData(2000, 8000)]
    public async Task Reading_takes_no_more_than_a_fifth_of_the_time(int took, int pause)
    {
        using var live = new LiveReport((_, _) =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(took));
            return new(_now);
        }, _time);
        using var listener = await live.ListenAsync(0, default);
        using var stop = new CancellationTokenSource();
        var following = live.FollowAsync(stop.Token);
        for (var waits = _time.Waits.Count; _time.Waits.Count == waits;)
        {
            _time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Yield();
        }
        Assert.Equal([500, pause], _time.Waits.Take(2).Select(w => w.TotalMilliseconds));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    [Theory]
    [InlineData(100, 10)]
    [InlineData(3000, 30)]
    public async Task All_is_read_now_and_then_and_in_between_what_may_have_changed(int took, int seconds)
    {
        var whole = new List<bool>();
        using var live = new LiveReport((before, _) =>
        {
            whole.Add(before is null);
            if (before is null)
                _time.Advance(TimeSpan.FromMilliseconds(took));
            return new(_now);
        }, _time);
        await live.ReadAsync(default);
        await live.ReadAsync(default);
        _time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromTicks(1));
        await live.ReadAsync(default);
        _time.Advance(TimeSpan.FromTicks(1));
        await live.ReadAsync(default);
        await live.ReadAsync(default);
        Assert.Equal([true, false, false, true, false], whole);
    }

    [Fact]
    public async Task After_a_store_could_not_be_reached_all_is_read_anew_so_that_what_hindered_is_forgotten()
    {
        using var live = new LiveReport((before, _) => _fault is null ? new(_now with { Problems = before?.Problems ?? [] }) : throw _fault, _time);
        await live.ReadAsync(default);
        _fault = CheckpointErrors.Unusable("x", "it is away");
        await live.ReadAsync(default);
        Assert.Single((await live.ReadAsync(default)).Report.Problems);
        _fault = null;
        Assert.Empty((await live.ReadAsync(default)).Report.Problems);
    }

    private LiveReport Live() => new((_, _) => _fault is null ? new(_now with { AsWritten = _now.History }) : throw _fault, _time);
}
