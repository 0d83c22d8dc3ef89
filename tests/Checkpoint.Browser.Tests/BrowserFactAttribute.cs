namespace Checkpoint.Browser.Tests;

/// <summary>A fact that a real browser and a real PowerShell prove.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = Machine.WhyNot;

    /// <summary>Whether it takes a signal that Windows does not have.</summary>
    public bool Interrupts
    {
        get => false;
        set => Skip ??= value && OperatingSystem.IsWindows() ? "Windows has no signal that is Ctrl+C to one process." : null;
    }
}
