using System.Globalization;

namespace Checkpoint;

/// <summary>Azure DevOps: logging commands (learn.microsoft.com, "Logging commands" of Azure Pipelines).</summary>
internal sealed class AzureDevOps(Func<string, string?> environment) : CISystem
{
    // A later step of the job may be a process with the same number.
    private static readonly string SummaryName = $"checkpoint-{Guid.NewGuid():N}.md";

    /// <inheritdoc/>
    /// <remarks>A file that is uploaded is a section of its own, so all that a process says goes into one, which must be there until the agent has taken it.</remarks>
    public override string? SummaryFile => environment("AGENT_TEMPDIRECTORY") is { Length: > 0 } folder ? Path.Join(folder, SummaryName) : null;

    /// <inheritdoc/>
    /// <remarks>Azure DevOps names no limit; a page of more than this nobody reads.</remarks>
    public override int SummaryLimit => 960 * 1024;

    /// <inheritdoc/>
    public override string EndGroup => "##[endgroup]";

    /// <inheritdoc/>
    public override string? SummaryDone => SummaryFile is { } file ? "##vso[task.uploadsummary]" + Data(file) : null;

    /// <inheritdoc/>
    protected override string? Workspace => environment("BUILD_SOURCESDIRECTORY");

    /// <inheritdoc/>
    /// <remarks>A format of the log and no command: nothing in it is decoded, and it ends with its line.</remarks>
    public override string BeginGroup(string title) => "##[group]" + LogText.Line(title);

    /// <inheritdoc/>
    public override StepText SetOutput(string name, string value) => new($"##vso[task.setvariable variable={Property(name)};isOutput=true]{Data(value)}", null);

    /// <inheritdoc/>
    protected override string ErrorAt(string message, ScriptPlace? place) => "##vso[task.logissue type=error" + (place is { } at
        ? string.Create(CultureInfo.InvariantCulture, $";sourcepath={Property(at.File)};linenumber={at.Line};columnnumber={at.Column}")
        : "") + "]" + Data(message);

    private static string Data(string text) => text.Replace("%", "%AZP25", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);

    private static string Property(string text) => Data(text).Replace("]", "%5D", StringComparison.Ordinal).Replace(";", "%3B", StringComparison.Ordinal);
}
