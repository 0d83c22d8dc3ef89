using System.Text.RegularExpressions;

namespace Checkpoint.Cli.Tests;

/// <summary>Help that a person can learn from.</summary>
public sealed class HelpTests : CliTest
{
    private static readonly string[] Names = ["test", "save", "get", "restore", "clear", "run", "items", "history", "report", "verify", "context", "completion"];

    public static TheoryData<string> Commands => [.. Names];

    [Fact]
    public void The_tool_names_its_commands()
    {
        var help = Call("--help").Done();
        foreach (var command in Names)
            Assert.Matches($@"(?m)^  {command}\b.*\S", help);
        Assert.Contains("checkpoint [command] [options]", help, StringComparison.Ordinal);
        Assert.Contains("checkpoint run <stage> [options] -- <command>...", Call("run", "--help").Done(), StringComparison.Ordinal);
        Assert.Matches(@"^\d+\.\d+\.\d+", Call("--version").Done());
        var none = Call();
        Assert.Equal(2, none.ExitCode);
        Assert.Contains("checkpoint --help", none.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_has_a_description_examples_and_exit_codes(string command)
    {
        Variables["COLUMNS"] = "80";
        var help = Call(command, "--help").Done();
        Assert.Matches($@"(?s)Description:\s+\S.*Usage:\s+checkpoint {command}\b.*Examples:\s+\S.*checkpoint {command}\b.*Exit codes:\s+0  ", help);
        // Every option says what it does.
        Assert.DoesNotMatch(@"(?m)^  --\S+( <[^>]+>)?\s*$(?!\n {10})", help);
        Assert.All(help.Split('\n'), line => Assert.True(line.TrimEnd().Length <= 80, line));
    }

    [UnixFact]
    public void The_examples_of_the_help_do_what_they_say()
    {
        PutOnPath();
        foreach (var program in new[] { "bin/curl", "bin/make", "ingest.sh", "load.sh", "encode.sh" })
            Program(program, "echo '{\"next\":12,\"rows\":[1,2]}'");
        if (Run([], ["sh", "-c", "command -v jq"]).Wait().ExitCode != 0)
            Program("bin/jq", "cat");
        foreach (var file in new[] { "rows.csv", "b.csv", "report.csv", "model.bin", "urls.txt", "films.txt", "disk.iso" })
            Write(file, file + "\n");
        Variables["GITHUB_STEP_SUMMARY"] = At("summary.md");
        Call("save", "rows", "--state", "{\"next\":12}").Done();
        Call("save", "list", "--state", "[1,2]").Done();
        Call("save", "a", "--state", "1").Done();
        Call("save", "model", "--raw", "--state-file", "model.bin").Done();
        // What the scripts of completion do is seen in the shells themselves.
        var examples = Names.Where(name => name != "completion").SelectMany(name => Examples(Call(name, "--help").Done())).ToList();
        Assert.True(examples.Count > 30);
        foreach (var example in examples)
        {
            var shown = Run([], ["bash", "-c", "set -o pipefail; " + example]).Wait();
            // That something is not complete is an answer.
            Assert.True(shown.ExitCode == 0 || (shown.ExitCode == 1 && example.StartsWith("checkpoint test", StringComparison.Ordinal)), $"{example}: {shown.ExitCode}\n{shown.Error}");
            Assert.DoesNotContain("not found", shown.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_mistyped_is_told_with_where_to_look()
    {
        var mistyped = Call("restor", "a");
        Assert.Equal(2, mistyped.ExitCode);
        Assert.Matches(@"^checkpoint: there is no command 'restor'\.\s+The commands are test, save, get, restore,.*\. Say 'checkpoint --help'", mistyped.Error);
        Assert.Contains("checkpoint save --help", Call("save", "a", "--nosuch").Error, StringComparison.Ordinal);
        Assert.Equal("checkpoint: 'checkpoint run' needs <stage> and <command>: checkpoint run <stage> [options] -- <command>...\nSay 'checkpoint run --help' to see what there is.\n", Call("run").Error.ReplaceLineEndings("\n"));
        Assert.Contains("Required argument missing for option: '--step'", Call("save", "--step").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Messages_name_commands_and_options_and_no_cmdlets()
    {
        var error = Call("restore", "it's-Overwrite").Error;
        Assert.DoesNotMatch(new Regex(@"(Save|Get|Restore)-Checkpoint\b(?!Context)"), error);
        Assert.Contains("'checkpoint save'", error, StringComparison.Ordinal);
        Assert.Contains("'checkpoint context' shows", error, StringComparison.Ordinal);
        Call("save", "damaged", "--state", "1").Done();
        Call("save", "damaged", "--state", "2").Done();
        Write(".checkpoints/default/stages/damaged/0000000002.json", "garbage");
        var warning = Call("test", "damaged").Error;
        Assert.StartsWith("WARNING: ", warning, StringComparison.Ordinal);
        Assert.DoesNotMatch("-Checkpoint|-Step", warning);
        Variables["CHECKPOINT_KEY"] = "k";
        Call("save", "a", "--state", "1").Done();
        Variables.Clear();
        Assert.Contains("Give it with --key-file or the environment variable CHECKPOINT_KEY.", Call("restore", "a").Error, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Examples(string help) => Regex.Matches(help.Split("Examples:")[1].Split("Exit codes:")[0], "(?m)^  (?! )(.+)$").Select(match => match.Groups[1].Value);
}
