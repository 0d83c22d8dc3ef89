namespace Checkpoint.Cli;

/// <summary>Finds the file of a command as a shell does.</summary>
internal static class Executable
{
    private const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <remarks>.NET itself looks beside its own program and in the current folder before it looks at the PATH.</remarks>
    /// <exception cref="CommandFailedException">There is none.</exception>
    public static string Find(string command)
    {
        if (OperatingSystem.IsWindows() || command.Contains('/', StringComparison.Ordinal))
            return command;
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").Split(':'))
        {
            var path = Path.Join(folder.Length == 0 ? "." : folder, command);
            if (File.Exists(path) && (File.GetUnixFileMode(path) & AnyExecute) != 0)
                return Path.GetFullPath(path);
        }
        throw new CommandFailedException($"there is no command '{command}' on the PATH", ExitCode.NotFound);
    }
}
