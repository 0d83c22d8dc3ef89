using System.Globalization;
using System.Text;

namespace Checkpoint;

/// <summary>The Markdown that goes to the summary of a job.</summary>
internal static class JobSummary
{
    /// <summary>A line about a stage that belongs to no run of a pipeline: a hundred of them are a list and not a hundred reports.</summary>
    public static string OfStage(string stage, StageStatus status, string? why, TimeSpan duration)
    {
        var line = new StringBuilder($"- **{MarkdownReport.Text(stage)}** {status.ToString().ToLowerInvariant()}");
        if (duration > TimeSpan.Zero)
            line.Append(CultureInfo.InvariantCulture, $" in {Amounts.Duration(duration)}");
        if (why is not null)
            line.Append(": ").Append(MarkdownReport.Text(why));
        return line.Append('\n').ToString();
    }

    /// <summary>The report of a run.</summary>
    public static string OfRun(ReportRun run) => $"\n## {MarkdownReport.Text(run.Pipeline)}, run {MarkdownReport.Text(run.Run)}\n\n" + MarkdownReport.Write(run);
}
