namespace Checkpoint.Cli.Tests;

/// <summary>A fact about a shell, which must be installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ShellFactAttribute : FactAttribute
{
    public ShellFactAttribute(string shell)
    {
        if (OperatingSystem.IsWindows() || !(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Join(folder, shell))))
            Skip = $"There is no {shell} on the PATH.";
    }
}
