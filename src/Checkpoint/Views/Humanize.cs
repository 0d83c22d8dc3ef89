using System.Globalization;

namespace Checkpoint;

/// <summary>Ages and sizes as a person reads them; for the views.</summary>
public static class Humanize
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

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
