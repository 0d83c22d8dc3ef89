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
        Assert.All(help.Split("Examples:")[0].Split('\n'), line => Assert.True(line.TrimEnd().Length <= 80, line));
    }

    [Fact]
    public void What_is_mistyped_is_told_with_where_to_look()
    {
        var error = Call("restor", "a").Error;
        Assert.Contains("restore", error, StringComparison.Ordinal);
        Assert.Contains("checkpoint save --help", Call("save", "a", "--nosuch").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Messages_name_commands_and_options_and_no_cmdlets()
    {
        var error = Call("restore", "it's-Overwrite").Error;
        Assert.DoesNotMatch(new Regex(@"(Save|Get|Restore)-Checkpoint\b(?!Context)"), error);
        Assert.Contains("'checkpoint save'", error, StringComparison.Ordinal);
        Assert.Contains("'checkpoint context' shows", error, StringComparison.Ordinal);
        Variables["CHECKPOINT_KEY"] = "k";
        Call("save", "a", "--state", "1").Done();
        Variables.Clear();
        Assert.Contains("Give it with --key-file or the environment variable CHECKPOINT_KEY.", Call("restore", "a").Error, StringComparison.Ordinal);
    }
}
