using System.CommandLine;

namespace Checkpoint.Cli;

/// <summary><c>checkpoint completion</c>: prints the script that makes a shell complete the tool's command lines.</summary>
internal static class CompletionCommand
{
    public static ToolCommand Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh, fish or pwsh." };
        shell.AcceptOnlyFromAmong([.. ShellScripts.All.Keys]);
        var command = new ToolCommand("completion", "Prints the script with which a shell completes commands, options, and the names that are in the store.")
        {
            Takes = [shell],
            Examples =
            [
                ("source <(checkpoint completion bash)", "In ~/.bashrc."),
                ("source <(checkpoint completion zsh)", "In ~/.zshrc, behind compinit."),
                ("checkpoint completion fish > ~/.config/fish/completions/checkpoint.fish", "Once, for fish."),
                ("checkpoint completion pwsh | Out-String | Invoke-Expression", "In the profile of PowerShell."),
            ],
            ExitCodes = [("0", "it is printed"), ("2", "there is no script for that shell")],
        };
        command.Work = call =>
        {
            Terminal.Out.Write(ShellScripts.All[call.Get(shell)]);
            return new(ExitCode.Done);
        };
        return command;
    }
}
