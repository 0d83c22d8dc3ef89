using System.Globalization;
using System.Text;

namespace Checkpoint;

/// <summary>A report as Markdown, for the summary of a CI job and wherever else it is shown. All that comes from data is escaped, so that it is shown as it is.</summary>
/// <remarks>GitHub Flavored Markdown, https://github.github.com/gfm/. Tables are read by Azure DevOps too.</remarks>
internal static class MarkdownReport
{
    // What stands in it beyond is told of by its number.
    private const int DetailedRuns = 20, ListedRuns = 1000, ListedEvents = 200, ListedFailures = 10, MaxMessage = 1000;

    /// <summary>The whole report: its runs in a table, the newest with their stages, the newest lines of the history.</summary>
    public static string Write(CheckpointReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# Checkpoints\n\nStore {Code(report.Store)}, {Time(report.GeneratedAt)}\n");
        if (report.Problems.Count > 0)
        {
            text.Append("\n## What could not be read\n\n");
            foreach (var problem in report.Problems)
                text.Append(CultureInfo.InvariantCulture, $"- {Text(problem)}\n");
        }
        text.Append("\n## Runs\n\n");
        if (report.Runs.Count == 0)
            text.Append("None.\n");
        else
            text.Append("| | pipeline | run | started | took | stages | |\n|---|---|---|---|---|---|---|\n");
        foreach (var run in report.Runs.Take(ListedRuns))
            text.Append(CultureInfo.InvariantCulture, $"| {Icon(run)} {Status(run)} | {Text(run.Pipeline)} | {Text(run.Run)} | {Time(run.StartedAt)} | {Took(run)} | {Done(run)} | {Text(run.LastError)} |\n");
        if (report.Runs.Count > ListedRuns)
            text.Append(CultureInfo.InvariantCulture, $"\nAnd {report.Runs.Count - ListedRuns} older ones.\n");
        foreach (var run in report.Runs.Take(DetailedRuns))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {Text(run.Pipeline)}{(run.Run is null ? "" : $", run {Text(run.Run)}")}\n\n");
            Write(text, run);
        }
        if (report.History.Count > 0)
        {
            text.Append("\n## History\n\n| time | event | pipeline | run | stage | step | |\n|---|---|---|---|---|---|---|\n");
            foreach (var e in report.History.Reverse().Take(ListedEvents))
                text.Append(CultureInfo.InvariantCulture, $"| {Time(e.Time)} | {Text(e.Event)} | {Text(e.Pipeline)} | {Text(e.Run)} | {Text(e.Name)} | {e.Step} | {Text(e.Reason)} |\n");
            if (report.History.Count > ListedEvents)
                text.Append(CultureInfo.InvariantCulture, $"\nAnd {report.History.Count - ListedEvents} older lines.\n");
        }
        return text.ToString();
    }

    /// <summary>One run with its stages.</summary>
    public static string Write(ReportRun run)
    {
        var text = new StringBuilder();
        Write(text, run);
        return text.ToString();
    }

    /// <summary>A text as it is to be shown in a line or a cell: nothing in it is Markdown or HTML.</summary>
    public static string Text(string? text)
    {
        var shown = ShortText.Cut(text ?? "", MaxMessage).Trim();
        var escaped = new StringBuilder();
        for (var i = 0; i < shown.Length; i++)
        {
            var c = shown[i];
            if (IsPlain(shown, i))
                escaped.Append(c);
            else if (char.IsWhiteSpace(c))
                escaped.Append(' ');
            // A character reference is never read as a part of Markdown.
            else if (char.IsAscii(c) && !char.IsControl(c))
                escaped.Append(CultureInfo.InvariantCulture, $"&#{(int)c};");
            else
                escaped.Append('\uFFFD');
        }
        return escaped.ToString();
    }

    // Whether a character means itself where it stands. Others that show nothing, or turn the direction of what follows, are not shown.
    private static bool IsPlain(string text, int i)
    {
        var c = text[i];
        var next = i + 1 < text.Length ? text[i + 1] : ' ';
        return c switch
        {
            '-' => i > 0,
            ':' => next == ' ',
            '.' => i < 3 || !text.AsSpan(i - 3, 3).Equals("www", StringComparison.OrdinalIgnoreCase),
            '_' => i > 0 && char.IsAsciiLetterOrDigit(text[i - 1]) && char.IsAsciiLetterOrDigit(next),
            ' ' or ',' or '(' or ')' or ';' or '/' or '=' or '%' or '"' or '?' or '\'' => true,
            _ when char.IsAscii(c) => char.IsAsciiLetterOrDigit(c),
            _ when char.IsSurrogate(c) => char.IsSurrogatePair(text, char.IsHighSurrogate(c) || i == 0 ? i : i - 1),
            _ => !char.IsControl(c) && !char.IsWhiteSpace(c) && char.GetUnicodeCategory(c) != UnicodeCategory.Format,
        };
    }

    private static void Write(StringBuilder text, ReportRun run)
    {
        text.Append(CultureInfo.InvariantCulture, $"{Icon(run)} **{Status(run)}**, {Done(run)} stages done");
        if (run.StartedAt is { } started)
            text.Append(CultureInfo.InvariantCulture, $", started {Time(started)}");
        if (Took(run).Length > 0)
            text.Append(CultureInfo.InvariantCulture, $", took {Took(run)}");
        if (run.Attempts > 1)
            text.Append(CultureInfo.InvariantCulture, $", started {run.Attempts} times");
        text.Append(CultureInfo.InvariantCulture, $", {Text(run.User)} at {Text(run.Host)}\n\n| | stage | took | attempts | state | items | |\n|---|---|---|---|---|---|---|\n");
        foreach (var stage in run.Stages)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {Icon(stage.Status)} {Status(stage.Status)} | {Text(stage.Name)} | {Duration(stage.DurationSeconds)} | {stage.Attempts} | ");
            text.Append(CultureInfo.InvariantCulture, $"{Amounts.Size(stage.Checkpoint?.StateSize)} | {Items(stage.Items)} | {Text(stage.Error ?? Why(stage))}{Failures(stage)}{Skipped(stage)} |\n");
        }
    }

    private static string Failures(ReportStage stage) =>
        stage.Items is not { Failures: { Count: > 0 } failures } ? "" : string.Concat(failures.TakeLast(ListedFailures).Select(f => $"<br>{Text($"{f.Key}: {f.Error}")}"));

    // A reason says of what ran why it was not skipped.
    private static string? Why(ReportStage stage) => stage switch
    {
        { Reason: null } => null,
        { Status: ReportStatus.Completed } => $"it ran because {stage.Reason}",
        { Status: ReportStatus.Running } => $"it runs because {stage.Reason}",
        _ => stage.Reason,
    };

    private static string Skipped(ReportStage stage) => stage.Skips == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" skipped {stage.Skips}×, last {Time(stage.SkippedAt)}");

    private static string Items(ReportItems? items) => items is null ? "" : items.Failed == 0 ? string.Create(CultureInfo.InvariantCulture, $"{items.Done} done") : string.Create(CultureInfo.InvariantCulture, $"{items.Done} done, {items.Failed} failed");

    private static string Done(ReportRun run) => string.Create(CultureInfo.InvariantCulture, $"{run.Stages.Count(s => s.Status is ReportStatus.Completed or ReportStatus.Skipped)}/{run.Stages.Count}");

    private static string Took(ReportRun run) => run.Status is null ? "" : Duration((run.EndedAt - run.StartedAt)?.TotalSeconds);

    private static string Duration(double? seconds) => seconds is { } s ? Amounts.Duration(TimeSpan.FromSeconds(s)) : "";

    private static string Time(DateTimeOffset? time) => time is { } at ? at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) : "";

    // A code span has no escapes: what has a backtick in it is none.
    private static string Code(string text) => text.Contains('`', StringComparison.Ordinal) || text.Any(char.IsControl) ? Text(text) : $"`{text}`";

    private static string Status(ReportRun run) => run.Status is { } status ? status.ToString().ToLowerInvariant() : "no run";

    private static string Status(ReportStatus status) => status == ReportStatus.NotRun ? "not run" : status.ToString().ToLowerInvariant();

    // A colour alone says nothing to who does not see it: the word stands beside it.
    private static string Icon(ReportRun run) => run.Status switch
    {
        RunStatus.Completed => "✅",
        RunStatus.Failed => "❌",
        RunStatus.Running => "🔄",
        null => "▫️",
        _ => "⚠️",
    };

    private static string Icon(ReportStatus status) => status switch
    {
        ReportStatus.Completed => "✅",
        ReportStatus.Skipped => "⏭️",
        ReportStatus.Failed => "❌",
        ReportStatus.Running => "🔄",
        ReportStatus.Interrupted => "⚠️",
        _ => "▫️",
    };
}
