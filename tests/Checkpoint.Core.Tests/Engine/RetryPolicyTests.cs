namespace Checkpoint.Tests;

/// <summary>Retries are exponential, capped, exact without jitter; other errors are not retried.</summary>
public sealed class RetryPolicyTests
{
    [Fact]
    public void The_pauses_grow_by_the_factor_up_to_the_cap()
    {
        var policy = new RetryPolicy { Retry = 6, Delay = TimeSpan.FromSeconds(2), Backoff = 3, MaxDelay = TimeSpan.FromSeconds(60) };
        Assert.Equal([2, 6, 18, 54, 60, 60], Enumerable.Range(1, 6).Select(n => policy.DelayBefore(n).TotalSeconds));
        Assert.Equal([2, 2, 2], Enumerable.Range(1, 3).Select(n => (policy with { Backoff = 1 }).DelayBefore(n).TotalSeconds));
    }

    [Fact]
    public void A_pause_never_overflows()
    {
        var policy = new RetryPolicy { Retry = int.MaxValue, Delay = TimeSpan.FromDays(1), Backoff = 1000 };
        Assert.Equal(policy.MaxDelay, policy.DelayBefore(int.MaxValue));
        Assert.Equal(TimeSpan.MaxValue, (policy with { MaxDelay = TimeSpan.MaxValue }).DelayBefore(1000));
        Assert.Equal(TimeSpan.Zero, (policy with { Delay = TimeSpan.Zero }).DelayBefore(3));
    }

    [Fact]
    public void Jitter_leaves_out_at_most_its_share()
    {
        var policy = new RetryPolicy { Delay = TimeSpan.FromSeconds(10), Jitter = 0.25 };
        Assert.Equal(10, policy.DelayBefore(1, () => 0).TotalSeconds);
        Assert.Equal(7.5, policy.DelayBefore(1, () => 1).TotalSeconds, 6);
        Assert.Equal(8.75, policy.DelayBefore(1, () => 0.5).TotalSeconds, 6);
        for (var i = 0; i < 100; i++)
            Assert.InRange(policy.DelayBefore(1).TotalSeconds, 7.5, 10);
    }

    [Fact]
    public void Without_names_every_error_is_tried_again_as_often_as_was_said()
    {
        var policy = new RetryPolicy { Retry = 2 };
        var error = new InvalidOperationException();
        Assert.True(policy.Applies(error, 1));
        Assert.True(policy.Applies(error, 2));
        Assert.False(policy.Applies(error, 3));
        Assert.False(RetryPolicy.None.Applies(error, 1));
    }

    [Theory]
    [InlineData("System.IO.IOException", true)]
    [InlineData("IOException", true)]
    [InlineData("ioexception", true)]
    [InlineData("FileNotFoundException", true)]
    [InlineData("SystemException", true)]
    [InlineData("Exception", true)]
    [InlineData("IO.IOException", false)]
    [InlineData("TimeoutException", false)]
    public void A_name_means_the_type_and_what_derives_from_it_wrapped_or_not(string name, bool applies)
    {
        var policy = new RetryPolicy { Retry = 1, RetryOn = ["NoSuchException", name] };
        Assert.Equal(applies, policy.Applies(new FileNotFoundException(), 1));
        Assert.Equal(applies, policy.Applies(new AggregateException(new FileNotFoundException()), 1));
        Assert.False(policy.Applies(new FileNotFoundException(), 2));
    }
}
