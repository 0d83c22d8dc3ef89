namespace Checkpoint.Tests;

public sealed class ReportScopeTests
{
    private static readonly ReportScope Seventh = new() { Pipeline = NamePattern.Of("nightly"), Run = NamePattern.Of("7"), WithoutRun = false };
    private static readonly ReportScope Loose = new() { Pipeline = NamePattern.Of("weekly"), Run = null };

    [Fact]
    public void Of_one_it_is_that_one() => Assert.Same(Seventh, ReportScope.Of([Seventh]));

    [Theory]
    [InlineData("nightly", "7", true)]
    [InlineData("nightly", "8", false)]
    [InlineData("nightly", null, false)]
    [InlineData("weekly", null, true)]
    [InlineData("weekly", "7", false)]
    [InlineData("other", "7", false)]
    [InlineData("other", null, false)]
    public void Of_several_each_run_is_meant_in_its_own_pipeline_alone(string pipeline, string? run, bool isMeant) =>
        Assert.Equal(isMeant, ReportScope.Of([Seventh, Loose]).Includes(pipeline, run));

    [Fact]
    public void Of_several_no_more_is_looked_for_than_one_of_them_means()
    {
        var both = ReportScope.Of([Seventh, Loose]);
        Assert.Equal([true, true, false], new[] { "nightly", "weekly", "other" }.Select(both.Pipeline.IsMatch));
        Assert.Equal([true, false], new[] { "7", "8" }.Select(both.Run!.IsMatch));
        Assert.True(both.WithoutRun);
        Assert.Null(ReportScope.Of([Loose, Loose]).Run);
        Assert.False(ReportScope.Of([Seventh, Seventh]).WithoutRun);
    }
}
