namespace Checkpoint.Browser.Tests;

/// <summary>A fact that a real browser and a real PowerShell prove.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = Machine.WhyNot;
}
