using System.Text.Json;

namespace Checkpoint.Cli.Tests;

/// <summary>What programs are told.</summary>
public sealed class JsonTests : CliTest
{
    private static readonly string[] Place = ["store", "pipeline", "name"];

    [Fact]
    public void It_has_the_names_that_programs_rely_on()
    {
        Call("save", "a", "--state", "1", "--fingerprint", "k=v", "--output-file", Write("f", "x"), "--run", "r").Done();
        var checkpoint = Json("get", "--run", "r")[0];
        Assert.Equal(
            ["store", "pipeline", "run", "name", "step", "status", "savedAt", "fingerprint", "metadata", "stateSize", "encrypted", "outputFiles", "host", "user", "processId", "location"],
            Members(checkpoint));
        Assert.Equal("completed", checkpoint.GetProperty("status").GetString());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", checkpoint.GetProperty("savedAt").GetString());
        Assert.Equal(["path", "size", "modifiedAt", "sha256"], Members(checkpoint.GetProperty("outputFiles")[0]));
        var entry = Json("history")[0];
        Assert.Equal(["time", "event", "store", "pipeline", "run", "name", "step", "host", "user", "processId"], Members(entry));
        Assert.Equal("Saved", entry.GetProperty("event").GetString());
    }

    [Fact]
    public void What_there_is_not_is_left_out()
    {
        Call("save", "a").Done();
        Assert.DoesNotContain(Members(Json("get")[0]), name => name is "run" or "fingerprint" or "stateSize");
        Assert.Equal(["source"], Members(Json("context").GetProperty("run")));
        var decision = JsonDocument.Parse(Call("test", "none", "--json").Output).RootElement;
        Assert.Equal(["name", "decision", "cause", "reason", "changed"], Members(decision));
    }

    [Fact]
    public void It_is_one_dialect_with_that_of_reports()
    {
        Call("save", "a", "--state", "1").Done();
        var reported = JsonDocument.Parse(Call("report", "--format", "json").Done()).RootElement;
        var saved = Json("get")[0];
        Assert.Equal(saved.GetProperty("savedAt").GetString(), reported.GetProperty("runs")[0].GetProperty("stages")[0].GetProperty("checkpoint").GetProperty("savedAt").GetString());
        Assert.Equal(Json("history")[0].GetProperty("time").GetString(), reported.GetProperty("history")[0].GetProperty("time").GetString());
        Assert.DoesNotContain("run", Members(reported.GetProperty("history")[0]));
    }

    [Fact]
    public void Nothing_in_it_is_a_command_to_a_CI_system_and_it_is_the_same_to_a_program()
    {
        const string Name = "it's ##vso[task.setvariable variable=a]b ##[group] #1 <é> \U0001F600";
        Call("save", Name, "--metadata-json", JsonSerializer.Serialize(new Dictionary<string, string> { [Name] = Name }), "--state", "1").Done();
        foreach (var call in new[] { Call("get", "--json"), Call("history", "--json"), Call("test", Name, "--json"), Call("report", "--format", "json"), Call("clear", "--what-if", "--json") })
        {
            Assert.DoesNotContain("##", call.Output, StringComparison.Ordinal);
            JsonDocument.Parse(call.Output).Dispose();
        }
        var saved = Json("get")[0];
        Assert.Equal(Name, saved.GetProperty("name").GetString());
        Assert.Equal(Name, saved.GetProperty("metadata").GetProperty(Name).GetString());
    }

    [UnixFact]
    public void Of_a_command_it_tells_what_became_of_it_and_the_output_goes_aside()
    {
        var ran = Call("run", "s", "--json", "--", "sh", "-c", "echo out; echo err >&2");
        Assert.Equal((0, true), (ran.ExitCode, ran.Error.Contains("out\n", StringComparison.Ordinal) && ran.Error.Contains("err\n", StringComparison.Ordinal)));
        var told = Parse(ran);
        Assert.Equal([.. Place, "status", "reason", "attempts", "durationSeconds", "exitCode", "checkpoint"], Members(told));
        Assert.Equal(("completed", 1, 0), (told.GetProperty("status").GetString(), told.GetProperty("attempts").GetInt32(), told.GetProperty("exitCode").GetInt32()));

        var skipped = Call("run", "s", "--json", "--", "sh", "-c", "echo out; echo err >&2");
        Assert.Equal("out\nerr\n", skipped.Error);
        Assert.Equal(("skipped", 0), (Parse(skipped).GetProperty("status").GetString(), Parse(skipped).GetProperty("attempts").GetInt32()));
        Assert.Equal(1, Parse(skipped).GetProperty("checkpoint").GetProperty("step").GetInt64());

        var failed = Call("run", "t", "--json", "--retry", "1", "--retry-delay", "0s", "--", "sh", "-c", "exit 7");
        Assert.Equal(7, failed.ExitCode);
        told = Parse(failed);
        Assert.Equal(("failed", 2, 7), (told.GetProperty("status").GetString(), told.GetProperty("attempts").GetInt32(), told.GetProperty("exitCode").GetInt32()));
        Assert.Equal("'sh' ended with exit code 7", told.GetProperty("error").GetString());
        Assert.DoesNotContain("checkpoint", Members(told));
    }

    [UnixFact]
    public void Of_items_it_tells_how_many_are_what_and_which_failed()
    {
        string[] command = ["items", "s", "--json", "--continue-on-error", "--", "sh", "-c", "echo did $1; test $1 != bad", "sh", "{}"];
        var first = CallWith("a\nbad\nb\nb\n", command);
        Assert.Equal(1, first.ExitCode);
        Assert.Contains("did a\n", first.Error, StringComparison.Ordinal);
        var told = Parse(first);
        Assert.Equal([.. Place, "status", "items", "done", "doneBefore", "failed", "failedBefore", "doubled", "failures", "error"], Members(told));
        Assert.Equal("failed 3 2 0 1 0 1", Counts(told));
        var failure = Assert.Single(told.GetProperty("failures").EnumerateArray());
        Assert.Equal(["key", "at", "error"], Members(failure));
        Assert.Equal("bad", failure.GetProperty("key").GetString());

        Assert.Equal("failed 3 0 2 0 1 0", Counts(Parse(CallWith("a\nbad\nb\n", command))));
        Assert.Equal("completed 3 1 2 0 0 0", Counts(Parse(CallWith("a\nb\nc\n", command))));
        var skipped = CallWith("a\nb\nc\n", command);
        Assert.Equal((0, "skipped 3 0 3 0 0 0"), (skipped.ExitCode, Counts(Parse(skipped))));
        Assert.Equal("notRun 0 0 0 0 0 0", Counts(Parse(CallWith("", ["items", "none", .. command[2..]]))));
    }

    [Fact]
    public void Of_a_clear_it_tells_what_was_removed_or_would_be()
    {
        for (var step = 1; step <= 3; step++)
            Call("save", "a").Done();
        Call("save", "b").Done();
        string[] old = ["clear", "--keep", "2"];
        Assert.Equal(["a: 1, 0 removed"], Cleared([.. old, "--what-if"]));
        Assert.Equal(["a: 1, 1 removed"], Cleared(old));
        Assert.Equal(["a: 3 2, 2 removed", "b: 1, 1 removed"], Cleared("clear"));
        Assert.Empty(Cleared("clear"));
    }

    private static IEnumerable<string> Members(JsonElement json) => json.EnumerateObject().Select(member => member.Name);

    private static JsonElement Parse(ToolResult result) => JsonDocument.Parse(result.Output).RootElement;

    private static string Counts(JsonElement items) => string.Join(' ', new[] { "status", "items", "done", "doneBefore", "failed", "failedBefore", "doubled" }.Select(name => items.GetProperty(name).ToString()));

    private JsonElement Json(params string[] arguments) => JsonDocument.Parse(Call([.. arguments, "--json"]).Done()).RootElement;

    private IEnumerable<string> Cleared(params string[] arguments) => Json(arguments).EnumerateArray()
        .Select(stage => $"{stage.GetProperty("name")}: {string.Join(' ', stage.GetProperty("steps").EnumerateArray())}, {stage.GetProperty("removed")} removed").Order();
}
