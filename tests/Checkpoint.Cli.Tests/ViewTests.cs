using System.Text.Json;

namespace Checkpoint.Cli.Tests;

/// <summary>What people and programs are shown.</summary>
public sealed class ViewTests : CliTest
{
    [Fact]
    public void Tables_fit_into_eighty_columns_and_steer_no_terminal()
    {
        Variables["COLUMNS"] = "80";
        Call("save", "ingest", "--state", "1").Done();
        Call("save", new string('x', 150), "--run", "a run with a rather long name").Done();
        Call("save", "日本語のチェックポイント".PadRight(60, '語')).Done();
        foreach (var shown in new[] { Call("get"), Call("get", "--run", "*"), Call("get", "--pipeline", "*"), Call("history"), Call("test", "none", "--detailed"), Call("verify") })
        {
            Assert.All(shown.Lines, line => Assert.True(Columns(line) <= 80, line));
            Assert.DoesNotContain('\u001b', shown.Output);
        }
        var get = Call("get").Lines;
        Assert.Matches(@"^Name\s+Step  Status     SavedAt +Age +Size$", get[0]);
        Assert.Matches(@"^ingest\s+1  Completed  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d+[smh] +\d+ B$", get[2]);
        // For who does not look at a terminal nothing is cut.
        Variables.Remove("COLUMNS");
        Assert.Contains(new string('x', 150), Call("get", "--run", "*").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_history_tells_what_is_asked_for_and_outlives_clearing()
    {
        Call("save", "load").Done();
        Call("save", "other").Done();
        Call("clear", "load").Done();
        Assert.Equal(["Saved", "Saved", "Cleared"], Events());
        Assert.Equal(["Saved", "Cleared"], Events("lo*"));
        Assert.Equal(["Cleared"], Events("--event", "clear*"));
        Assert.Equal(["Saved", "Saved"], Events("--event", "saved", "--since", "1h"));
        Assert.Empty(Events("--since", "2999-01-01"));
    }

    [Fact]
    public void Stages_are_found_by_wildcards_and_cleared_by_age_and_number()
    {
        foreach (var name in new[] { "load 1", "load 2", "other" })
        {
            Call("save", name).Done();
            Call("save", name).Done();
        }
        Assert.Equal(2, Json("get", "load*").GetArrayLength());
        Assert.Equal(4, Json("get", "load*", "--all-steps").GetArrayLength());
        Assert.Equal(1, Json("get", "load 1", "--step", "1").GetArrayLength());
        Assert.Equal(1, Call("get", "load 1", "--step", "9").ExitCode);
        Assert.Empty(Call("get", "none*").Done());
        var trial = Call("clear", "load*", "--keep", "1", "--what-if").Done();
        Assert.Contains("'load 1' (pipeline 'default'), step 1", trial, StringComparison.Ordinal);
        Call("clear", "load*", "--keep", "1").Done();
        Call("clear", "--older-than", "1h").Done();
        Assert.Equal(4, Json("get", "--all-steps").GetArrayLength());
        Call("clear").Done();
        Assert.Empty(Call("get").Done());
    }

    [Fact]
    public void A_report_is_written_in_each_format()
    {
        Call("save", "a").Done();
        Assert.Contains("| a |", Call("report").Done(), StringComparison.Ordinal);
        Assert.Equal(1, JsonDocument.Parse(Call("report", "--format", "json").Done()).RootElement.GetProperty("runs").GetArrayLength());
        Call("report", "--output", "r.html").Done();
        Assert.StartsWith("<!doctype html", File.ReadAllText(At("r.html")), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(2, Call("report", "--output", "r.pdf").ExitCode);
        Assert.Equal(1, Call("report", "--output", "none/r.md").ExitCode);
    }

    private JsonElement Json(params string[] arguments) => JsonDocument.Parse(Call([.. arguments, "--json"]).Done()).RootElement;

    private IEnumerable<string?> Events(params string[] arguments) => Json(["history", .. arguments]).EnumerateArray().Select(e => e.GetProperty("event").GetString());

    private static int Columns(string line) => line.EnumerateRunes().Sum(rune => rune.Value is (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3) ? 2 : 1);
}
