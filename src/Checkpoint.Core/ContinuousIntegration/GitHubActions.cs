using System.Globalization;

namespace Checkpoint;

/// <summary>GitHub Actions: workflow commands and environment files (docs.github.com, "Workflow commands for GitHub Actions").</summary>
internal sealed class GitHubActions(Func<string, string?> environment) : CISystem
{
    /// <inheritdoc/>
    public override string? SummaryFile => environment("GITHUB_STEP_SUMMARY") is { Length: > 0 } path ? path : null;

    /// <inheritdoc/>
    /// <remarks>A summary above 1 MiB is refused as a whole. The rest is left to what else the step has to say.</remarks>
    public override int SummaryLimit => 960 * 1024;

    /// <inheritdoc/>
    public override string EndGroup => "::endgroup::";

    /// <inheritdoc/>
    protected override string? Workspace => environment("GITHUB_WORKSPACE");

    /// <inheritdoc/>
    public override string BeginGroup(string title) => "::group::" + Data(LogText.Line(title));

    /// <inheritdoc/>
    /// <remarks>One line is enough: neither the names nor the values that are set here can hold a line break, and no name a <c>=</c>.</remarks>
    public override StepText SetOutput(string name, string value) => new($"{name}={value}\n", environment("GITHUB_OUTPUT") ?? "");

    /// <inheritdoc/>
    protected override string ErrorAt(string message, ScriptPlace? place) => "::error" + (place is { } at
        ? string.Create(CultureInfo.InvariantCulture, $" file={Property(at.File)},line={at.Line},col={at.Column}")
        : "") + "::" + Data(message);

    private static string Data(string text) => text.Replace("%", "%25", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);

    private static string Property(string text) => Data(text).Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal);
}
