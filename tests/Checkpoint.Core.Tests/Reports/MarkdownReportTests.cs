using System.Net;
using System.Text.RegularExpressions;

namespace Checkpoint.Tests;

public sealed partial class MarkdownReportTests
{
    [Fact]
    public void It_tells_of_each_stage_what_a_person_asks()
    {
        var text = MarkdownReport.Write(Reported.Run(
            Reported.Stage("fetch") with { Checkpoint = new ReportCheckpoint(1, 1, Reported.Noon, 3 << 20, false, 0), Skips = 2, SkippedAt = Reported.Noon, Reason = "there was no checkpoint" },
            Reported.Stage("hosts", ReportStatus.Failed) with { Items = new ReportItems(19, 1, [new ReportItemFailure("db|7", Reported.Noon, "no route")]), Error = "no answer", Attempts = 3 },
            Reported.Stage("publish", ReportStatus.NotRun) with { Reason = "it depends on 'hosts', which failed", DurationSeconds = null, Attempts = 0 }));
        Assert.Equal(
            """
            ✅ **completed**, 1/3 stages done, started 2026-03-01 12:00:00Z, took 1m 30s, ann at box

            | | stage | took | attempts | state | items | |
            |---|---|---|---|---|---|---|
            | ✅ completed | fetch | 1.50s | 1 | 3.0 MiB |  | it ran because there was no checkpoint skipped 2×, last 2026-03-01 12:00:00Z |
            | ❌ failed | hosts | 1.50s | 3 | - | 19 done, 1 failed | no answer<br>db&#124;7: no route |
            | ▫️ not run | publish |  | 0 | - |  | it depends on 'hosts', which failed |

            """.ReplaceLineEndings("\n"),
            text);
    }

    [Theory]
    [InlineData("a|b")]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("[x](javascript:alert(1))")]
    [InlineData("![x](http://e.test/x.png)")]
    [InlineData("`code` ~~no~~ **bold** __bold__ _em_")]
    [InlineData("www.e.test http://e.test")]
    [InlineData("# heading")]
    [InlineData("&lt;b&gt; &amp;")]
    [InlineData("- a\n- b\n\n## c")]
    [InlineData("\\| \\")]
    [InlineData("a snake_case name-with-hyphens v1.2.3: done")]
    [InlineData("größe 😀 \u202Ebackwards\u0007")]
    public void A_text_of_data_is_shown_as_it_is_and_means_nothing(string text)
    {
        var written = MarkdownReport.Text(text);
        Assert.DoesNotMatch(Meaning(), written);
        Assert.False(written.StartsWith('-'));
        var shown = new string([.. text.Select(c => char.IsWhiteSpace(c) ? ' ' : c is '\u202E' or '\u0007' ? '\uFFFD' : c)]);
        Assert.Equal(shown, WebUtility.HtmlDecode(written));
    }

    [Fact]
    public void Words_that_are_common_stay_readable_in_the_source() => Assert.Equal("snake_case name-with v1.2: it's done, 50% (a/b)", MarkdownReport.Text("snake_case name-with v1.2: it's done, 50% (a/b)"));

    [Fact]
    public void However_much_there_is_it_stays_below_what_a_CI_system_takes()
    {
        var runs = Enumerable.Range(0, 5000).Select(i => Reported.Run([.. Enumerable.Range(0, 20).Select(s => Reported.Stage($"stage {s}"))]) with { Run = $"{i}" }).ToArray();
        var text = MarkdownReport.Write(Reported.Report(runs) with { History = [.. Enumerable.Range(0, 50_000).Select(i => Reported.Line(i))] });
        Assert.True(text.Length < 1 << 20, $"{text.Length}");
        Assert.Contains("And 4000 older ones.", text, StringComparison.Ordinal);
        Assert.Contains("And 49800 older lines.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_could_not_be_read_comes_first_and_an_empty_store_says_so()
    {
        var text = MarkdownReport.Write(Reported.Report() with { Problems = ["step 2 is damaged"] });
        Assert.Contains("## What could not be read\n\n- step 2 is damaged\n\n## Runs\n\nNone.\n", text, StringComparison.Ordinal);
    }

    // What begins a tag, a link, a cell, a heading or an emphasis, or ends a line.
    [GeneratedRegex(@"[<>\[\]|`*~!\\\n\r@]|(?<!&)#|&(?!#\d+;)|&[a-z]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|www\.|://")]
    private static partial Regex Meaning();
}
