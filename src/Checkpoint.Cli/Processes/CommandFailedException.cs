namespace Checkpoint.Cli;

/// <summary>A command that failed, or could not be started.</summary>
internal sealed class CommandFailedException(string message, int exitCode) : Exception(message)
{
    public int ExitCode => exitCode;
}
