namespace Checkpoint.Tests;

public sealed class RunViewTests
{
    private static readonly DateTimeOffset Now = Reported.Noon.AddSeconds(100);

    [Fact]
    public void A_run_at_work_shows_how_long_each_stage_has_taken_and_what_it_waits_for()
    {
        var run = Reported.Run(
            Reported.Stage("fetch"),
            Reported.Stage("hosts", ReportStatus.Running) with { DurationSeconds = null, Items = new ReportItems(19, 1, []), Spans = [new ReportSpan(ReportSpanKind.Attempt, Now.AddSeconds(-3), null)] },
            Reported.Stage("index", ReportStatus.Running) with { DurationSeconds = null, Attempts = 2, Spans = [new ReportSpan(ReportSpanKind.Wait, Now, Now.AddSeconds(4)), new ReportSpan(ReportSpanKind.Attempt, Now.AddSeconds(4), null)] }) with { Status = RunStatus.Running, EndedAt = null };
        Assert.Equal(
            """
            nightly, run 7: running for 1m 40s
              fetch  completed      1.50s
              hosts  running        3.00s  19 items done, 1 failed
              index  running               attempt 2 in 4s
            """.ReplaceLineEndings("\n"),
            Show(run, 79, 24));
    }

    [Fact]
    public void A_run_that_failed_says_why()
    {
        var run = Reported.Run(Reported.Stage("fetch", ReportStatus.Failed) with { Error = "no route\nto host" }, Reported.Stage("publish", ReportStatus.NotRun) with { Reason = "it depends on 'fetch'", Attempts = 0, DurationSeconds = null, Spans = [] }) with { Status = RunStatus.Failed, LastError = "no route\nto host" };
        Assert.Equal(
            """
            nightly, run 7: failed after 1m 30s: no route to host
              fetch    failed         1.50s  no route to host
              publish  not run               it depends on 'fetch'
            """.ReplaceLineEndings("\n"),
            Show(run, 79, 24));
    }

    [Fact]
    public void No_line_is_longer_than_the_terminal_is_wide_whatever_the_names_are()
    {
        var run = Reported.Run(Reported.Stage(new string('x', 200)), Reported.Stage("日本語の長い名前のステージです日本語の長い名前のステージです", ReportStatus.Failed) with { Error = new string('界', 100) });
        foreach (var width in new[] { 79, 39, 9 })
            Assert.All(RunView.Lines(run, Now, width, 24, Cells), line => Assert.True(Cells(line.Text) <= width, $"{width}: {line.Text}"));
    }

    [Fact]
    public void There_are_no_more_lines_than_the_terminal_has()
    {
        var run = Reported.Run([.. Enumerable.Range(1, 50).Select(i => Reported.Stage($"s{i}"))]);
        var lines = RunView.Lines(run, Now, 79, 10, Cells);
        Assert.Equal(10, lines.Count);
        Assert.Equal("  … 42 stages before", lines[1].Text);
        Assert.StartsWith("  s43 ", lines[2].Text, StringComparison.Ordinal);
        Assert.StartsWith("  s50 ", lines[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_in_data_moves_the_cursor()
    {
        var run = Reported.Run(Reported.Stage("a\e[2Jb\u009b1m\u202e\r\n")) with { Pipeline = "p\e]0;x\a" };
        Assert.All(RunView.Lines(run, Now, 79, 24, Cells), line => Assert.DoesNotContain(line.Text, c => char.IsControl(c) || c == '\u202e'));
        Assert.DoesNotContain(RunView.Line(Reported.Line(1, reason: "x\e[2J\ny")), char.IsControl);
    }

    [Fact]
    public void A_line_of_the_history_is_one_line() =>
        Assert.Equal($"{Reported.Noon.AddSeconds(3).LocalDateTime:yyyy-MM-dd HH:mm:ss} Saved fetch step 3: why not", RunView.Line(Reported.Line(3, reason: "why\nnot")));

    private static string Show(ReportRun run, int width, int height) => string.Join('\n', RunView.Lines(run, Now, width, height, Cells).Select(line => line.Text));

    // As a terminal counts them.
    private static int Cells(string text) => text.Sum(c => c >= '\u2E80' ? 2 : 1);
}
