using System.Globalization;
using System.Text;

namespace Checkpoint;

/// <summary>The Markdown that goes to the summary of a job.</summary>
internal static class JobSummary
{
    /// <summary>A line about a stage that belongs to no run: a hundred of them are a list and not a hundred reports.</summary>
    public static string OfStage(string stage, StageStatus status, string? why, TimeSpan duration)
    {
        var line = new StringBuilder($"- **{Escape(stage)}**: {status.ToString().ToLowerInvariant()}");
        if (status != StageStatus.Skipped)
            line.Append(CultureInfo.InvariantCulture, $" in {duration.TotalSeconds:0.0} s");
        if (why is not null)
            line.Append(": ").Append(Escape(ShortText.Cut(why, 500)));
        return line.Append('\n').ToString();
    }

    /// <summary>The report of a run.</summary>
    public static string OfRun(PipelineResult result)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"### {Escape(result.Name)}: {result.Status.ToString().ToLowerInvariant()}\n\nRun {Escape(result.Run)}, {result.Duration.TotalSeconds:0.0} s\n\n");
        foreach (var stage in result.Stages)
            text.Append(OfStage(stage.Name, stage.Status, stage.Error ?? stage.Reason, stage.Duration));
        return text.Append('\n').ToString();
    }

    // Any punctuation of ASCII may have a backslash before it, and then means nothing (spec.commonmark.org).
    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (char.IsControl(c) || c is '\u2028' or '\u2029')
                escaped.Append(' ');
            else if (c is '<' or '>' or '&')
                escaped.Append(CultureInfo.InvariantCulture, $"&#{(int)c};");
            else if (char.IsAscii(c) && (char.IsPunctuation(c) || char.IsSymbol(c)))
                escaped.Append('\\').Append(c);
            else
                escaped.Append(c);
        }
        return escaped.ToString();
    }
}
