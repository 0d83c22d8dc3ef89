namespace Checkpoint.Tests;

public sealed class ItemProgressTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void It_is_shown_five_times_a_second_at_most()
    {
        var progress = new ItemProgress(_time, 10);
        var shown = 0;
        for (var i = 0; i < 1000; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            shown += progress.IsDue() ? 1 : 0;
        }
        Assert.Equal(5, shown);
    }

    [Fact]
    public void It_tells_of_what_is_done_and_what_is_left()
    {
        var progress = new ItemProgress(_time, 1200);
        _time.Advance(TimeSpan.FromSeconds(10));
        var counts = new ItemCounts { Items = 600, Done = 190, Skipped = 400, Failed = 10 };
        Assert.Equal("190 done, 400 skipped, 10 failed; 20.0/s; of 1,200", progress.Describe(counts));
        Assert.Equal(50, progress.Percent(counts));
        Assert.Equal(30, progress.SecondsLeft(counts));
    }

    [Fact]
    public void Of_piped_items_it_says_that_it_does_not_know_how_many_come()
    {
        var progress = new ItemProgress(_time, null);
        _time.Advance(TimeSpan.FromSeconds(1));
        var counts = new ItemCounts { Items = 2, Done = 2 };
        Assert.Equal("2 done, 0 skipped, 0 failed; 2.0/s; how many there are is not known, they are piped in", progress.Describe(counts));
        Assert.Equal((-1, -1), (progress.Percent(counts), progress.SecondsLeft(counts)));
    }
}
