using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace Checkpoint.Cli;

/// <summary>The command line: its commands, and what happens when one is called.</summary>
internal static class CommandLine
{
    /// <summary>How a command that is to be run stands on the line.</summary>
    public const string CommandUsage = "<stage> [options] -- <command>...";

    // A name may begin with @, which is no file of arguments; and -abc is no three options.
    private static readonly ParserConfiguration Parser = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };

    /// <summary>Does what the arguments say.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] arguments, Signals signals)
    {
        var line = Root(signals).Parse(arguments, Parser);
        Terminal.IsVerbose = line.GetValue(ContextOptions.Verbose);
        var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = Terminal.Out, Error = Terminal.Error };
        if (line.Action is not ParseErrorAction error)
            return await line.InvokeAsync(invocation);
        await TellAsync(line, error);
        return ExitCode.Usage;
    }

    /// <summary>All commands.</summary>
    public static RootCommand Root(Signals signals)
    {
        var root = new RootCommand("""
            Makes scripts restartable: marks stages complete, keeps their results, and runs a command once.

            Works on the same checkpoints as the PowerShell module Checkpoint. 'checkpoint <command> --help' shows examples of each command.
            """);
        foreach (var option in ContextOptions.All)
            root.Add(option);
        ToolCommand[] commands =
        [
            TestCommand.Create(), SaveCommand.Create(), GetCommand.Create(), RestoreCommand.Create(), ClearCommand.Create(), RunCommand.Create(), ItemsCommand.Create(), HistoryCommand.Create(),
            ReportCommand.Create(), VerifyCommand.Create(), ContextCommand.Create(), CompletionCommand.Create(),
        ];
        foreach (var command in commands)
        {
            command.SetAction((line, _) => RunAsync(command, line, signals));
            root.Add(command);
        }
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ToolHelp((HelpAction)help.Action!);
        return root;
    }

    // System.CommandLine says that something is missing, once for each, and not what; and of a mistyped command also what it thinks of the words behind it.
    private static async Task TellAsync(ParseResult line, ParseErrorAction error)
    {
        if (line.CommandResult.Command is not ToolCommand command)
        {
            Messages.Tell(line.UnmatchedTokens is [var word, ..] ? $"there is no {(word.StartsWith('-') ? "option" : "command")} '{word}'." : "a command is missing.");
            Terminal.Say($"The commands are {string.Join(", ", line.RootCommandResult.Command.Subcommands.Select(c => c.Name))}. Say 'checkpoint --help' to see what they do.");
            return;
        }
        string[] missing = [.. line.Errors.Select(e => e.SymbolResult).OfType<ArgumentResult>().Where(result => result.Tokens.Count == 0).Select(result => $"<{result.Argument.Name}>")];
        if (missing.Length > 0)
            Messages.Tell($"'checkpoint {command.Name}' needs {string.Join(" and ", missing)}{(missing is [.., "<command>"] ? $": checkpoint {command.Name} {CommandUsage}" : ".")}");
        var said = new StringWriter();
        error.ShowHelp = false;
        await line.InvokeAsync(new InvocationConfiguration { Output = said, Error = said });
        foreach (var text in said.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(text => !text.StartsWith("Required argument missing for command", StringComparison.Ordinal)))
            Terminal.Say(text);
        Terminal.Say($"Say 'checkpoint {command.Name} --help' to see what there is.");
    }

    private static async Task<int> RunAsync(ToolCommand command, ParseResult line, Signals signals)
    {
        try
        {
            return await command.Work!(new Call(line, signals, (int?)(command.Keep is { } keep ? line.GetValue(keep) : null)));
        }
        catch (Exception) when (signals.Cancellation.IsCancellationRequested)
        {
            return signals.ExitCode;
        }
        catch (Exception e) when (e is CheckpointException or CommandFailedException or InvalidArgumentException or UnkeptValueException or UnwritableFileException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Terminal.Flush();
            Messages.Tell(e);
            return ExitCode.Of(e);
        }
        catch (Exception e)
        {
            Terminal.Flush();
            Messages.Tell($"this is a fault of the tool itself. {e}");
            return ExitCode.Failed;
        }
    }
}
