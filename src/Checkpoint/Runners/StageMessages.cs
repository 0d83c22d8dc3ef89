using System.Globalization;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>What is said of stages, on whatever stream.</summary>
internal static class StageMessages
{
    private const string NoText = " ";

    public static string Retry(string stage, Exception error, int attempt, int retries, TimeSpan pause) => string.Create(
        CultureInfo.InvariantCulture,
        $"Stage '{stage}' failed at attempt {attempt} of {retries + 1L} and is tried again in {pause.TotalSeconds:0.###} s: {error.Message}");

    /// <summary>The progress bar of a stage.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="percent">From 0 to 100; else it cannot be told.</param>
    /// <param name="text">What is under way, or null.</param>
    public static ProgressRecord Progress(string stage, int percent, string? text) => new(1, $"Stage '{stage}'", string.IsNullOrEmpty(text) ? NoText : text)
    {
        PercentComplete = percent is >= 0 and <= 100 ? percent : -1,
    };
}
