namespace Checkpoint.Tests;

/// <summary>What is added to the summary of a job is text in lines and tables, whatever names and messages hold.</summary>
public sealed class JobSummaryTests
{
    private const string Hostile = "a | b\n# c <script>alert(1)</script> `d` [e](javascript:f) ![g](h) @i **j** \u202e";

    [Fact]
    public void A_stage_is_one_line_of_a_list()
    {
        Assert.Equal("- **build** completed in 2.50s\n", JobSummary.OfStage("build", StageStatus.Completed, null, TimeSpan.FromSeconds(2.5)));
        Assert.Equal("- **build** skipped: it completed\n", JobSummary.OfStage("build", StageStatus.Skipped, "it completed", TimeSpan.Zero));
        AssertPlain(JobSummary.OfStage(Hostile, StageStatus.Failed, Hostile, TimeSpan.Zero).TrimEnd('\n'));
    }

    [Fact]
    public void A_run_is_a_heading_and_a_row_for_each_stage()
    {
        var started = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var run = new CheckpointRun { Pipeline = "nightly", Run = "42", StartedAt = started, Attempts = 2, Host = "h", User = "u" };
        var result = new PipelineResult
        {
            Name = "nightly",
            Run = "42",
            Status = RunStatus.Failed,
            Stages = new([
                new StageResult { Name = "a", Status = StageStatus.Skipped, Reason = "it completed" },
                new StageResult { Name = "b", Status = StageStatus.Failed, Attempts = 2, Duration = TimeSpan.FromSeconds(3), Error = "it broke" },
                new StageResult { Name = Hostile, Status = StageStatus.NotRun, Reason = Hostile },
            ]),
        };
        var lines = JobSummary.OfRun(run, result, started.AddMinutes(1)).TrimEnd('\n').Split('\n');
        Assert.Equal(["", "## nightly, run 42", ""], lines[..3]);
        Assert.Contains("**failed**, 1/3 stages done, started 2026-01-02 03:04:05Z, took 1m 00s, started 2 times, u at h", lines[3], StringComparison.Ordinal);
        Assert.Contains(" skipped | a | ", lines[^3], StringComparison.Ordinal);
        Assert.Contains(" failed | b | 3.00s | 2 | ", lines[^2], StringComparison.Ordinal);
        Assert.EndsWith("it broke |", lines[^2], StringComparison.Ordinal);
        Assert.Equal(lines[^2].Count(c => c == '|'), lines[^1].Count(c => c == '|'));
        AssertPlain(lines[^1]);
    }

    private static void AssertPlain(string line)
    {
        foreach (var markup in new[] { "\n", "<", "`", "[", "](", "@", "\u202e", "**j" })
            Assert.DoesNotContain(markup, line, StringComparison.Ordinal);
    }
}
