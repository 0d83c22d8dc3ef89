using System.Diagnostics;
using System.Globalization;

namespace Checkpoint.Browser.Tests;

/// <summary>A PowerShell of its own that has the module.</summary>
internal sealed class PowerShell : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;

    private PowerShell(string script, string folder)
    {
        // What runs behind a script may ignore Ctrl+C, and its children with it.
        string[] words = [.. OperatingSystem.IsLinux() ? ["env", "--default-signal"] : Array.Empty<string>(), Machine.PowerShellPath!];
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in new[] { "-NoProfile", "-NonInteractive", "-Command", $"$ErrorActionPreference = 'Stop'; $PSStyle.OutputRendering = 'PlainText'; Import-Module '{Machine.Module}'; {script}" })
            start.ArgumentList.Add(argument);
        // What a CI job says of its own pipeline and run is not meant here.
        foreach (var name in start.Environment.Keys.Where(n => n.StartsWith("CHECKPOINT_", StringComparison.Ordinal) || n is "GITHUB_RUN_ID" or "GITHUB_WORKFLOW" or "BUILD_BUILDID" or "BUILD_DEFINITIONNAME" or "GITHUB_ACTIONS" or "TF_BUILD").ToList())
            start.Environment.Remove(name);
        _process = Process.Start(start)!;
    }

    public static PowerShell Start(string script, string folder) => new(script, folder);

    /// <summary>Runs a script to its end.</summary>
    public static async Task<string> RunAsync(string script, string folder)
    {
        using var shell = new PowerShell(script, folder);
        var errors = shell._process.StandardError.ReadToEndAsync();
        var output = await shell._process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await shell._process.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(shell._process.ExitCode == 0, $"{output}\n{await errors}");
        return output;
    }

    /// <summary>Waits for a line that begins so.</summary>
    public async Task<string> ReadLineAsync(string beginning)
    {
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            if (line.StartsWith(beginning, StringComparison.Ordinal))
                return line;
        }
        throw new InvalidOperationException($"PowerShell ended without a line that begins with '{beginning}': {await _process.StandardError.ReadToEndAsync()}");
    }

    /// <summary>Presses Ctrl+C and waits for its end.</summary>
    public async Task InterruptAsync()
    {
        using var kill = Process.Start("kill", ["-INT", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync().WaitAsync(Patience);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
