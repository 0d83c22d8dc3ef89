using System.Globalization;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>What is said of stages, on whatever stream.</summary>
internal static class StageMessages
{
    private const string NoText = " ";

    /// <summary>That an attempt failed and another follows.</summary>
    /// <param name="work">What failed, at the beginning of a sentence.</param>
    /// <param name="error">Its own error.</param>
    /// <param name="attempt">Which attempt it was, from 1 up.</param>
    /// <param name="retries">How many may follow the first.</param>
    /// <param name="pause">How long it is until the next.</param>
    public static string Retry(string work, Exception error, int attempt, int retries, TimeSpan pause) => string.Create(
        CultureInfo.InvariantCulture,
        $"{work} failed at attempt {attempt} of {retries + 1L} and is tried again in {pause.TotalSeconds:0.###} s: {error.Message}");

    /// <summary>The same of an item.</summary>
    public static string Retry(ItemRun run, string key, Exception error, int attempt, TimeSpan pause) =>
        Retry($"Item '{key}' of stage '{run.Work.Stage.Name}'", BlockErrors.CauseOf(error), attempt, run.Work.Retry.Retry, pause);

    /// <summary>The progress bar of a stage.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="percent">From 0 to 100; else it cannot be told.</param>
    /// <param name="text">What is under way, or null.</param>
    public static ProgressRecord Progress(string stage, int percent, string? text) => new(1, $"Stage '{stage}'", string.IsNullOrEmpty(text) ? NoText : text)
    {
        PercentComplete = percent is >= 0 and <= 100 ? percent : -1,
    };
}
