namespace Checkpoint.Tests;

/// <summary>A fact about Linux and macOS.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class UnixFactAttribute : FactAttribute
{
    public UnixFactAttribute()
    {
        if (OperatingSystem.IsWindows())
            Skip = "This is about Linux and macOS.";
    }
}
