using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Checkpoint.Tests;

public sealed partial class HtmlReportTests
{
    [Fact]
    public async Task The_page_names_its_own_script_and_style_and_allows_no_other()
    {
        var page = await Page(Reported.Report());
        foreach (var tag in new[] { "script", "style" })
        {
            var text = Regex.Match(page, $"<{tag}>(.*?)</{tag}>", RegexOptions.Singleline).Groups[1].Value;
            Assert.Contains($"{tag}-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'", page, StringComparison.Ordinal);
        }
        Assert.Contains("default-src 'none'", page, StringComparison.Ordinal);
        Assert.Contains("connect-src 'none'", page, StringComparison.Ordinal);
        Assert.DoesNotContain("{{", page, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"(src|href)=""(?!#|data:,)", page);
    }

    [Fact]
    public async Task Data_stands_in_it_as_JSON_that_nothing_can_break_out_of()
    {
        const string Hostile = "</script><script>alert(1)</script><!-- {{script}} \u2028";
        var page = await Page(Reported.Report(Reported.Run(Reported.Stage(Hostile))));
        Assert.Equal(2, Scripts().Count(page));
        using var data = JsonDocument.Parse(Regex.Match(page, @"id=""data"">(.*?)</script>", RegexOptions.Singleline).Groups[1].Value);
        Assert.Equal(Hostile, data.RootElement.GetProperty("runs")[0].GetProperty("stages")[0].GetProperty("name").GetString());
    }

    private static async Task<string> Page(CheckpointReport report)
    {
        using var page = new MemoryStream();
        await ReportFile.WriteAsync(report, ReportFormat.Html, page, default);
        return Encoding.UTF8.GetString(page.ToArray());
    }

    [GeneratedRegex("<script")]
    private static partial Regex Scripts();
}
