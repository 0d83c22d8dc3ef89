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

    /// <summary>The report of a run. It is made of what the runner knows: to read a store's whole history at the end of each job would take longer the older it is.</summary>
    /// <param name="run">The run, as it was when it was begun.</param>
    /// <param name="result">What came of this execution of it.</param>
    /// <param name="endedAt">When it ended, UTC.</param>
    public static string OfRun(CheckpointRun run, PipelineResult result, DateTimeOffset endedAt) =>
        $"\n## {MarkdownReport.Text(result.Name)}, run {MarkdownReport.Text(result.Run)}\n\n" + MarkdownReport.Write(new ReportRun
        {
            Pipeline = result.Name,
            Run = result.Run,
            Status = result.Status,
            StartedAt = run.StartedAt,
            EndedAt = endedAt,
            Attempts = run.Attempts,
            Host = run.Host,
            User = run.User,
            Stages = [.. result.Stages.Select(stage => new ReportStage
            {
                Name = stage.Name,
                Status = Enum.Parse<ReportStatus>(stage.Status.ToString()),
                Reason = stage.Reason,
                Attempts = stage.Attempts,
                DurationSeconds = stage.Attempts > 0 ? stage.Duration.TotalSeconds : null,
                Error = stage.Error,
            })],
        });
}
