using System.Globalization;

namespace Checkpoint;

/// <summary>Ages, times, durations and sizes as a person reads them.</summary>
internal static class Amounts
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>How long ago something was: <c>12s</c>, <c>5m</c>, <c>3h</c>, <c>8d</c>.</summary>
    public static string Age(DateTimeOffset since, TimeProvider time)
    {
        var age = time.GetUtcNow() - since;
        return age < TimeSpan.Zero ? "0s"
            : age.TotalMinutes < 1 ? Text($"{(int)age.TotalSeconds}s")
            : age.TotalHours < 1 ? Text($"{(int)age.TotalMinutes}m")
            : age.TotalDays < 2 ? Text($"{(int)age.TotalHours}h")
            : Text($"{(int)age.TotalDays}d");
    }

    /// <summary>A time as the local clock shows it, in the Gregorian calendar whatever the culture.</summary>
    public static string Time(DateTimeOffset time) => time.LocalDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>How long something took: <c>0.35s</c>, <c>12.3s</c>, <c>5m 10s</c>, <c>3h 05m</c>, <c>8d 01h</c>; a hyphen for none.</summary>
    public static string Duration(TimeSpan? span) => span is not { } time ? "-"
        : time.TotalSeconds < 10 ? Text($"{time.TotalSeconds:0.00}s")
        : time.TotalMinutes < 1 ? Text($"{time.TotalSeconds:0.0}s")
        : time.TotalHours < 1 ? Text($"{time.Minutes}m {time.Seconds:00}s")
        : time.TotalDays < 1 ? Text($"{time.Hours}h {time.Minutes:00}m")
        : Text($"{(int)time.TotalDays}d {time.Hours:00}h");

    /// <summary>A size in bytes: <c>512 B</c>, <c>1.5 MiB</c>; a hyphen for none.</summary>
    public static string Size(long? bytes)
    {
        if (bytes is not { } size)
            return "-";
        var unit = 0;
        var value = (double)size;
        for (; value >= 1024 && unit < Units.Length - 1; unit++)
            value /= 1024;
        return unit == 0 ? Text($"{size} B") : Text($"{value:0.0} {Units[unit]}");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
