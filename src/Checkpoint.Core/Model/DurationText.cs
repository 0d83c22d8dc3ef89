using System.Globalization;

namespace Checkpoint;

/// <summary>Durations and times as people write them: <c>90s</c>, <c>15m</c>, <c>36h</c>, <c>7d</c>, <c>1.5h</c>, or as a time span, <c>1.12:00:00</c>.</summary>
internal static class DurationText
{
    /// <summary>The longest that a timer of .NET waits, in whole days: 2³² ms are 49.7.</summary>
    public const int TimerDays = 49;

    /// <summary>What is said of a text that is no duration.</summary>
    public static string None(string text) => $"'{text}' is no duration. Write it as 90s, 15m, 36h or 7d";

    /// <summary>What is said of a text that is no time.</summary>
    public static string NoMoment(string text) => $"'{text}' is no time. Write how long ago it was, as 90s, 15m, 36h or 7d, or a time such as 2026-03-01 12:00.";

    /// <summary>The span that a text says, or null where it says none. A bare number is none: nobody can tell its unit.</summary>
    public static TimeSpan? Parse(string text)
    {
        try
        {
            var unit = text.Length == 0 ? '\0' : char.ToLowerInvariant(text[^1]);
            if (unit is 's' or 'm' or 'h' or 'd')
            {
                return double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var count)
                    ? unit switch { 's' => TimeSpan.FromSeconds(count), 'm' => TimeSpan.FromMinutes(count), 'h' => TimeSpan.FromHours(count), _ => TimeSpan.FromDays(count) }
                    : null;
            }
            return text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span) ? span : null;
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    /// <summary>Why a duration cannot be meant, or null.</summary>
    /// <param name="duration">The duration.</param>
    /// <param name="allowZero">Whether no time at all is one.</param>
    /// <param name="maxDays">How many days it may last; 0 for any number.</param>
    public static string? FaultOf(TimeSpan duration, bool allowZero, int maxDays) => duration < TimeSpan.Zero ? "must not be below 0"
        : duration == TimeSpan.Zero && !allowZero ? "must be above 0"
        : maxDays > 0 && duration.TotalDays > maxDays ? $"must not be longer than {maxDays} days"
        : null;

    /// <summary>The time that a text says, or the span before now; null where it says neither. A time that does not say its offset is local.</summary>
    public static DateTimeOffset? ParseMoment(string text, TimeProvider time) =>
        Parse(text) is { } span ? Before(span, time)
        // A bare number would be taken for a day of this month.
        : !text.All(char.IsAsciiDigit) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var moment) ? moment
        : null;

    private static DateTimeOffset? Before(TimeSpan span, TimeProvider time) => span >= TimeSpan.Zero && span <= time.GetUtcNow() - DateTimeOffset.MinValue ? time.GetUtcNow() - span : null;
}
