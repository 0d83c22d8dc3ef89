using System.Globalization;
using System.Text.RegularExpressions;

namespace Checkpoint.Cli;

/// <summary>What is said of work and of errors: the messages of Core, which name cmdlets and their parameters, in the words of the tool.</summary>
internal static partial class Messages
{
    private static readonly Dictionary<string, string> Commands = new(StringComparer.Ordinal)
    {
        ["Test-Checkpoint"] = "test",
        ["Save-Checkpoint"] = "save",
        ["Get-Checkpoint"] = "get",
        ["Restore-Checkpoint"] = "restore",
        ["Clear-Checkpoint"] = "clear",
        ["Invoke-CheckpointStage"] = "run",
        ["Invoke-CheckpointItem"] = "items",
        ["Get-CheckpointHistory"] = "history",
        ["Test-CheckpointStore"] = "verify",
        ["Export-CheckpointReport"] = "report",
        ["Get-CheckpointContext"] = "context",
    };

    /// <summary>That an attempt failed and another follows.</summary>
    public static string Retry(string work, Exception error, int attempt, RetryPolicy policy, TimeSpan pause) => string.Create(
        CultureInfo.InvariantCulture,
        $"{work} failed at attempt {attempt} of {policy.Retry + 1L} and is tried again in {pause.TotalSeconds:0.###} s: {error.Message}");

    /// <summary>Tells an error on the standard error.</summary>
    public static void Tell(Exception error) => Tell(error is UnreadableFileException file ? $"'{file.Path}' cannot be read: {error.Message}" : Reword(error.Message));

    /// <inheritdoc cref="Tell(Exception)"/>
    public static void Tell(string message) => Terminal.Say($"checkpoint: {message}");

    /// <summary>A message in the words of the tool. What stands in quotes is somebody's data, and stays.</summary>
    public static string Reword(string message) => Word().Replace(message.Replace(", Set-CheckpointContext -Key", "", StringComparison.Ordinal), static match =>
        match.Groups["cmdlet"] is { Success: true, Value: var cmdlet } ? Commands.TryGetValue(cmdlet, out var command) ? $"'checkpoint {command}'" : cmdlet
        : match.Groups["parameter"] is { Success: true, Value: "Key" } ? "--key-file"
        : match.Groups["parameter"] is { Success: true, Value: var parameter } ? "-" + Capital().Replace(parameter, static c => "-" + c.Value.ToLowerInvariant())
        : match.Value);

    [GeneratedRegex(@"'[^']*'|(?<cmdlet>\b[A-Z][a-z]+-Checkpoint[A-Za-z]*)|(?<=[ (])-(?<parameter>[A-Z][A-Za-z]+)\b")]
    private static partial Regex Word();

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capital();
}
