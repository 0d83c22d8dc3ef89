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
        var run = new ReportRun
        {
            Pipeline = "nightly",
            Run = "42",
            Status = RunStatus.Failed,
            StartedAt = started,
            EndedAt = started.AddMinutes(1),
            Attempts = 2,
            Host = "h",
            User = "u",
            Stages =
            [
                new ReportStage { Name = "a", Status = ReportStatus.Skipped, Reason = "it completed", Checkpoint = new ReportCheckpoint(1, 1, started, 2048, false, 0), Items = new ReportItems(5, 0, []) },
                new ReportStage { Name = "b", Status = ReportStatus.Failed, Attempts = 2, DurationSeconds = 3, Error = "it broke" },
                new ReportStage { Name = Hostile, Status = ReportStatus.NotRun, Reason = Hostile },
            ],
        };
        var lines = JobSummary.OfRun(run).TrimEnd('\n').Split('\n');
        Assert.Equal(["", "## nightly, run 42", ""], lines[..3]);
        Assert.Contains("**failed**, 1/3 stages done, started 2026-01-02 03:04:05Z, took 1m 00s, started 2 times, u at h", lines[3], StringComparison.Ordinal);
        Assert.EndsWith(" skipped | a |  | 0 | 2.0 KiB | 5 done | it completed |", lines[^3], StringComparison.Ordinal);
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
