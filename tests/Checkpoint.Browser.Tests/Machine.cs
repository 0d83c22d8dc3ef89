namespace Checkpoint.Browser.Tests;

/// <summary>What these tests need of a machine, and why they cannot run where it is not there.</summary>
internal static class Machine
{
    private static readonly string[] Browsers = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome.exe", "msedge.exe"];

    /// <summary>A browser of Chromium's family: what CHECKPOINT_TEST_BROWSER names, or one on the PATH.</summary>
    public static string? BrowserPath { get; } = Environment.GetEnvironmentVariable("CHECKPOINT_TEST_BROWSER") is { Length: > 0 } named ? named : Browsers.Select(FindOnPath).FirstOrDefault(path => path is not null);

    /// <summary>A PowerShell.</summary>
    public static string? PowerShellPath { get; } = FindOnPath(OperatingSystem.IsWindows() ? "pwsh.exe" : "pwsh");

    /// <summary>The root of the checkout.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The manifest of the module that is tested.</summary>
    public static string Module { get; } = Environment.GetEnvironmentVariable("CHECKPOINT_TEST_MODULE") is { Length: > 0 } named ? Path.GetFullPath(named) : Path.Join(Repository, "Checkpoint.psd1");

    /// <summary>Why the tests cannot run here, or null.</summary>
    public static string? WhyNot { get; } =
        BrowserPath is null ? "There is no Chromium on the PATH (Debian's package chromium, Chrome or Edge will do), and CHECKPOINT_TEST_BROWSER names none."
        : PowerShellPath is null ? "There is no pwsh on the PATH."
        : null;

    private static string? FindOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Join(folder, program)).FirstOrDefault(File.Exists);

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Join(folder.FullName, "Checkpoint.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException("These tests run from within a checkout.");
    }
}
