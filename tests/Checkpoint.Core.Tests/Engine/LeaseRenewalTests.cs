namespace Checkpoint.Tests;

public sealed class LeaseRenewalTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);

    private readonly ManualTime _time = new();

    [Fact]
    public void A_renewal_that_throws_whatever_ends_no_process_and_loses_the_lease_when_its_time_is_over()
    {
        using var renewal = new LeaseRenewal(_time, Duration, _time.GetTimestamp(), _ => throw new ObjectDisposedException("the file"));

        _time.Advance(Duration / 3);
        Assert.Null(renewal.WhyLost);
        _time.Advance(Duration);

        Assert.Contains("could not be renewed for 30 seconds", renewal.WhyLost, StringComparison.Ordinal);
        Assert.Contains("the file", renewal.WhyLost, StringComparison.Ordinal);
        Assert.True(renewal.Lost.WaitHandle.WaitOne(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public void A_renewal_that_fails_once_is_made_again_in_time()
    {
        var calls = 0;
        using var renewal = new LeaseRenewal(_time, Duration, _time.GetTimestamp(), _ => ++calls == 1 ? throw new IOException("the network") : null);

        for (var i = 0; i < 9; i++)
            _time.Advance(Duration / 3);

        Assert.Null(renewal.WhyLost);
        Assert.Equal(9, calls);
    }
}
