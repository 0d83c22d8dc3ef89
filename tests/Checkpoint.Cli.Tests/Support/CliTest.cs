using System.Diagnostics;
using System.Text;

namespace Checkpoint.Cli.Tests;

/// <summary>What tests of the tool share: a folder in which it is called as a shell does, with an environment that says nothing of stores.</summary>
public abstract class CliTest : IDisposable
{
    private static readonly string[] Said = ["GITHUB_RUN_ID", "GITHUB_WORKFLOW", "BUILD_BUILDID", "BUILD_DEFINITIONNAME", "COLUMNS"];

    private readonly TempFolder _folder = new();

    /// <summary>The tool as it was built, for the configuration of these tests.</summary>
    private protected static string Dll { get; } = Path.GetFullPath(Path.Join(AppContext.BaseDirectory, "..", "..", "Checkpoint.Cli", Path.GetFileName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)), "checkpoint.dll"));

    /// <summary>The current folder of each call.</summary>
    private protected string Here => _folder.Path;

    /// <summary>Variables that each call gets.</summary>
    private protected Dictionary<string, string?> Variables { get; } = [];

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Calls the tool and waits for it.</summary>
    private protected ToolResult Call(params string[] arguments) => CallWith("", arguments);

    /// <summary>Calls it with a standard input.</summary>
    private protected ToolResult CallWith(string input, params string[] arguments)
    {
        using var running = Start(Encoding.UTF8.GetBytes(input), arguments);
        return running.Wait();
    }

    private protected RunningTool Start(byte[] input, params string[] arguments) => Run(input, ["dotnet", Dll, .. arguments]);

    /// <summary>Runs any program in the same place.</summary>
    private protected RunningTool Run(byte[] input, IEnumerable<string> words)
    {
        // What a shell runs in the background has SIGINT ignored, and so have all its children, but for those that are started with its default.
        string[] command = [.. OperatingSystem.IsLinux() ? ["env", "--default-signal"] : Array.Empty<string>(), .. words];
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = Here };
        foreach (var name in start.Environment.Keys.Where(n => n.StartsWith("CHECKPOINT_", StringComparison.Ordinal) || Said.Contains(n)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in Variables)
            start.Environment[name] = value;
        return new RunningTool(start, input);
    }

    private protected string At(string name) => Path.Join(Here, name);

    private protected string Write(string name, string text) => _folder.Write(name, text);

    /// <summary>Writes a program for a shell.</summary>
    private protected void Program(string name, string script)
    {
        var file = Write(name, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Has shells know the tool by its name.</summary>
    private protected void PutOnPath()
    {
        Program("bin/checkpoint", $"exec dotnet '{Dll}' \"$@\"");
        Variables["PATH"] = $"{At("bin")}:{Environment.GetEnvironmentVariable("PATH")}";
    }

    private protected bool IsThere(string name) => File.Exists(At(name));

    /// <summary>How many lines a file has that commands of the test write to.</summary>
    private protected int Count(string name) => IsThere(name) ? File.ReadAllLines(At(name)).Length : 0;
}
