using System.Globalization;

namespace Checkpoint;

/// <summary>Ages, durations, sizes and the like as a person reads them; for the views.</summary>
public static class Humanize
{
    /// <summary>How long ago something was: <c>12s</c>, <c>5m</c>, <c>3h</c>, <c>8d</c>.</summary>
    public static string Age(DateTimeOffset since)
    {
        var age = TimeProvider.System.GetUtcNow() - since;
        return age < TimeSpan.Zero ? "0s"
            : age.TotalMinutes < 1 ? Text($"{(int)age.TotalSeconds}s")
            : age.TotalHours < 1 ? Text($"{(int)age.TotalMinutes}m")
            : age.TotalDays < 2 ? Text($"{(int)age.TotalHours}h")
            : Text($"{(int)age.TotalDays}d");
    }

    /// <summary>A time as the local clock shows it, in the Gregorian calendar whatever the culture.</summary>
    public static string Time(DateTimeOffset time) => time.LocalDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>How long something took: <c>0.35s</c>, <c>12.3s</c>, <c>5m 10s</c>, <c>3h 05m</c>, <c>8d 01h</c>; a hyphen for none.</summary>
    public static string Duration(TimeSpan? span) => Amounts.Duration(span);

    /// <summary>The colour of a status, by its name in $PSStyle.Foreground.</summary>
    public static string Colour(Enum status) => status switch
    {
        RunStatus.Completed or StageStatus.Completed or StageStatus.Skipped => "Green",
        RunStatus.Failed or StageStatus.Failed => "Red",
        RunStatus.Running => "Cyan",
        StageStatus.Disabled => "BrightBlack",
        _ => "Yellow",
    };

    /// <summary>How many stages of how many are done.</summary>
    public static string Done(IReadOnlyCollection<StageResult> stages) => Text($"{stages.Count(s => s.Status is StageStatus.Completed or StageStatus.Skipped)}/{stages.Count}");

    /// <summary>A name, cut where it would leave no room for what stands beside it.</summary>
    public static string? Name(string? name) => name is null ? null : ShortText.Cut(name, 30);

    /// <summary>A size in bytes: <c>512 B</c>, <c>1.5 MiB</c>; a hyphen for none.</summary>
    public static string Size(long? bytes) => Amounts.Size(bytes);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
