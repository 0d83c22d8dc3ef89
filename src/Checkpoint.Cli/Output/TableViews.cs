using System.Globalization;

namespace Checkpoint.Cli;

/// <summary>Tables for people: readable at 80 columns, times as the local clock shows them.</summary>
internal static class TableViews
{
    public static void Print(IReadOnlyList<CheckpointInfo> checkpoints)
    {
        var isOfRuns = checkpoints.Any(c => c.Run is not null);
        var isOfPipelines = checkpoints.Select(c => c.Pipeline).Distinct(StringComparer.OrdinalIgnoreCase).Count() > 1;
        string[] headers = [.. isOfPipelines ? ["Pipeline"] : Array.Empty<string>(), "Name", "Step>", "Status", "SavedAt", "Age>", "Size>", .. isOfRuns ? ["Run"] : Array.Empty<string>()];
        Write(headers, checkpoints.Select(c => (string?[])[.. isOfPipelines ? [c.Pipeline] : Array.Empty<string>(), c.Name, Text(c.Step), c.Status.ToString(), Amounts.Time(c.SavedAt), Amounts.Age(c.SavedAt, TimeProvider.System), Amounts.Size(c.StateSize), .. isOfRuns ? [c.Run] : Array.Empty<string?>()]));
    }

    public static void Print(IReadOnlyList<CheckpointEvent> events)
    {
        var isOfRuns = events.Any(e => e.Run is not null);
        string[] headers = ["Time", "Event", "Name", "Step>", .. isOfRuns ? ["Run"] : Array.Empty<string>(), "Reason"];
        Write(headers, events.Select(e => (string?[])[Amounts.Time(e.Time), e.Event, e.Name, e.Step is { } step ? Text(step) : null, .. isOfRuns ? [e.Run] : Array.Empty<string?>(), e.Reason]));
    }

    public static void Print(IReadOnlyList<StoreFinding> findings)
    {
        foreach (var finding in findings)
        {
            Terminal.Out.WriteLine(Terminal.Shown($"{finding.Severity}: {finding.Kind}: {finding.Location}"));
            Terminal.Out.WriteLine(Terminal.Shown($"    {finding.Message}"));
        }
    }

    public static void Print(IEnumerable<(string Name, string? Value, string Source)> context) => Write(["Name", "Value", "Source"], context.Select(c => (string?[])[c.Name, c.Value ?? "-", c.Source]));

    public static void Print(CheckpointDecision decision)
    {
        Write(["Name", "Decision", "Reason"], [[decision.Name, decision.Decision.ToString(), decision.Reason]]);
        if (decision.Changed.Count == 0)
            return;
        Terminal.Out.WriteLine();
        Write(["Part", "SavedHash", "CurrentHash"], decision.Changed.Select(c => (string?[])[c.Part, c.SavedHash is null ? "(new)" : c.SavedHash[..12] + "…", c.CurrentHash is null ? "(gone)" : c.CurrentHash[..12] + "…"]));
    }

    private static void Write(string[] headers, IEnumerable<string?[]> rows) => Table.Write(Terminal.Out, Terminal.Width, headers, rows.ToList());

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
