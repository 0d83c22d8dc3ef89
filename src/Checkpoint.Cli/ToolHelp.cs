using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Checkpoint.Cli;

/// <summary>The help: what System.CommandLine says of options, and after it examples and exit codes.</summary>
internal sealed class ToolHelp(HelpAction inner) : SynchronousCommandLineAction
{
    private const int Narrowest = 60, Widest = 100;

    public override int Invoke(ParseResult parseResult)
    {
        inner.MaxWidth = Math.Clamp(Terminal.Width, Narrowest, Widest);
        var configuration = parseResult.InvocationConfiguration;
        var output = configuration.Output;
        using var help = new StringWriter();
        configuration.Output = help;
        inner.Invoke(parseResult);
        configuration.Output = output;
        // A command has options of its own, which would be taken for ours.
        output.Write(help.ToString().Replace("<stage> <command>... [options]", CommandLine.CommandUsage, StringComparison.Ordinal));
        if (parseResult.CommandResult.Command is not ToolCommand command)
            return ExitCode.Done;
        if (command.Examples.Count > 0)
        {
            output.WriteLine("Examples:");
            foreach (var (line, says) in command.Examples)
                output.WriteLine($"  {line}{Environment.NewLine}      {says}");
            output.WriteLine();
        }
        if (command.ExitCodes.Count > 0)
        {
            output.WriteLine("Exit codes:");
            foreach (var (code, says) in command.ExitCodes)
                output.WriteLine($"  {code,-3}  {says}");
            output.WriteLine();
        }
        return ExitCode.Done;
    }
}
