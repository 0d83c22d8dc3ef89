namespace Checkpoint;

/// <summary>A CI system: what is to be said to it, as the text of its own commands. Pure: nothing is written here.</summary>
internal abstract class CISystem
{
    /// <summary>Turns all of it off where it is <c>none</c>, or empty.</summary>
    public const string Variable = "CHECKPOINT_CI";

    private const int LongestMessage = 4000;

    /// <summary>The CI system that the environment tells of, or null.</summary>
    /// <param name="environment">Gives an environment variable, or null where it is not set.</param>
    public static CISystem? Recognize(Func<string, string?> environment) =>
        IsTrue(environment("GITHUB_ACTIONS")) ? new GitHubActions(environment)
        : IsTrue(environment("TF_BUILD")) ? new AzureDevOps(environment)
        : null;

    /// <summary>The file to which the summary of the job is appended, or null where there is none.</summary>
    public abstract string? SummaryFile { get; }

    /// <summary>The most bytes that the system takes as the summary.</summary>
    public abstract int SummaryLimit { get; }

    /// <summary>The line that ends a group.</summary>
    public abstract string EndGroup { get; }

    /// <summary>What is to be said when nothing more comes to <see cref="SummaryFile"/>, or null.</summary>
    public virtual string? SummaryDone => null;

    /// <summary>The folder of the sources, to which places are relative; or null.</summary>
    protected abstract string? Workspace { get; }

    /// <summary>The line that begins a group. Groups do not nest.</summary>
    public abstract string BeginGroup(string title);

    /// <summary>An error, shown at the first of its places that is in the workspace.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="places">Where, the most exact first.</param>
    public string Error(string message, params ReadOnlySpan<ScriptPlace> places)
    {
        var text = ShortText.Cut(message, LongestMessage);
        foreach (var place in places)
        {
            if (place.RelativeTo(Workspace) is { } inside)
                return ErrorAt(LogText.Safe(text), inside);
        }
        return ErrorAt(LogText.Safe(places.IsEmpty ? text : $"{text} ({places[0]})"), null);
    }

    /// <summary>Sets an output of the step.</summary>
    public abstract StepText SetOutput(string name, string value);

    /// <summary>An error at a place with its path in the workspace, or without one.</summary>
    protected abstract string ErrorAt(string message, ScriptPlace? place);

    private static bool IsTrue(string? value) => string.Equals(value, "true", StringComparison.OrdinalIgnoreCase);
}
