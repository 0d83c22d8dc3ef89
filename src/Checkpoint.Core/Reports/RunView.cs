using System.Globalization;

namespace Checkpoint;

/// <summary>A run as a terminal shows it while it goes on.</summary>
internal static class RunView
{
    private const int MaxName = 30;
    private const int StatusWidth = 11;
    private const int TookWidth = 8;

    /// <summary>The lines of a run as it is now; the first is its heading, each other a stage.</summary>
    /// <param name="run">The run.</param>
    /// <param name="now">The time, which what is at work has taken until now.</param>
    /// <param name="width">How many columns there are; what is longer is cut.</param>
    /// <param name="height">How many lines there may be; the first stages are left out where there are more.</param>
    /// <param name="cells">How many columns a text takes: some characters take two.</param>
    public static IReadOnlyList<RunViewLine> Lines(ReportRun run, DateTimeOffset now, int width, int height, Func<string, int> cells)
    {
        var lines = new List<RunViewLine> { new(Cut(Heading(run, now), width, cells), run.Status?.ToString()) };
        var left = Math.Max(run.Stages.Count - (height - 1), 0);
        if (left > 0)
            lines.Add(new RunViewLine(Cut(string.Create(CultureInfo.InvariantCulture, $"  … {++left} stages before"), width, cells), null));
        var names = run.Stages.Select(stage => Cut(Line(stage.Name), MaxName, cells)).ToList();
        var column = names.Select(cells).DefaultIfEmpty().Max();
        for (var i = left; i < run.Stages.Count; i++)
        {
            var stage = run.Stages[i];
            var name = names[i] + new string(' ', column - cells(names[i]));
            lines.Add(new RunViewLine(Cut($"  {name}  {Status(stage).PadRight(StatusWidth)} {Took(stage, now).PadLeft(TookWidth)}  {What(stage, now)}".TrimEnd(), width, cells), stage.Status.ToString()));
        }
        return lines;
    }

    /// <summary>The line that stands where no run is there yet.</summary>
    public static RunViewLine Waiting(string store, int width, Func<string, int> cells) => new(Cut($"Waiting for a run; Ctrl+C ends it. Store '{Line(store)}'", width, cells), null);

    /// <summary>A line of the history, for where nothing can be drawn anew.</summary>
    public static string Line(ReportEvent e)
    {
        var time = Amounts.Time(e.Time);
        var about = e.Name is null ? "" : $" {Line(e.Name)}{(e.Step is { } step ? string.Create(CultureInfo.InvariantCulture, $" step {step}") : "")}";
        return $"{time} {e.Event}{about}{(e.Reason is null ? "" : $": {Line(e.Reason)}")}";
    }

    /// <summary>A text without what would move the cursor, or colour what follows.</summary>
    public static string Line(string text) => string.Concat(text.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' || char.GetUnicodeCategory(c) == UnicodeCategory.Format ? ' ' : c));

    private static string Heading(ReportRun run, DateTimeOffset now)
    {
        var name = run.Run is null ? Line(run.Pipeline) : $"{Line(run.Pipeline)}, run {Line(run.Run)}";
        if (run.Status is not { } status)
            return name;
        var took = Amounts.Duration((run.EndedAt ?? now) - run.StartedAt);
        var error = run.LastError is null || status == RunStatus.Running ? "" : $": {Line(run.LastError)}";
        return $"{name}: {status.ToString().ToLowerInvariant()} {(status == RunStatus.Running ? "for" : "after")} {took}{error}";
    }

    private static string Status(ReportStage stage) => stage.Status == ReportStatus.NotRun ? "not run" : stage.Status.ToString().ToLowerInvariant();

    private static string Took(ReportStage stage, DateTimeOffset now) => stage.DurationSeconds is { } seconds ? Amounts.Duration(TimeSpan.FromSeconds(seconds))
        : stage.Spans is [.., { End: null } last] && now >= last.Start ? Amounts.Duration(now - last.Start)
        : "";

    private static string What(ReportStage stage, DateTimeOffset now)
    {
        var parts = new List<string>();
        if (stage.Spans is [.., { Kind: ReportSpanKind.Wait }, { End: null } next] && next.Start > now)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"attempt {stage.Attempts} in {Math.Ceiling((next.Start - now).TotalSeconds):0}s"));
        else if (stage.Attempts > 1)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"attempt {stage.Attempts}"));
        if (stage.Items is { } items)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{items.Done} items done{(items.Failed > 0 ? $", {items.Failed} failed" : "")}"));
        if (stage.Error is not null)
            parts.Add(Line(stage.Error));
        else if (stage.Reason is not null && stage.Status is ReportStatus.NotRun or ReportStatus.Disabled or ReportStatus.Skipped or ReportStatus.Cleared)
            parts.Add(Line(stage.Reason));
        return string.Join(", ", parts);
    }

    private static string Cut(string text, int width, Func<string, int> cells)
    {
        if (cells(text) <= width)
            return text;
        var length = Math.Min(text.Length, width);
        while (length > 0 && cells(text[..length]) > width - 1)
            length--;
        return ShortText.Cut(text, length);
    }
}
