using System.Globalization;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>
/// Takes a time span as people write it: <c>90s</c>, <c>15m</c>, <c>36h</c>, <c>7d</c>, <c>1.5h</c>, or as a [timespan]. A bare number is refused: PowerShell would take it for
/// ticks of 100 ns. The span must be above 0, unless <see cref="AllowZero"/> is set.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class DurationAttribute : ArgumentTransformationAttribute
{
    /// <summary>The longest that a timer of .NET waits, in whole days: 2³² ms are 49.7.</summary>
    public const int TimerDays = 49;

    /// <summary>Whether no time at all is one.</summary>
    public bool AllowZero { get; init; }

    /// <summary>How many days it may last; 0, the default, for any number.</summary>
    public int MaxDays { get; init; }

    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var value = inputData is PSObject wrapper ? wrapper.BaseObject : inputData;
        if (value is null)
            throw new ArgumentTransformationMetadataException("A duration cannot be null.");
        // 60s and 7d reach a cmdlet as numbers (PowerShell's suffixes for short and decimal) that remember how they were written.
        var text = value is TimeSpan ? null : LanguagePrimitives.ConvertTo<string>(inputData);
        var span = value is TimeSpan given ? given : Parse(text!.Trim());
        if (span is not { } duration)
            throw new ArgumentTransformationMetadataException($"'{text}' is no duration. Write it as 90s, 15m, 36h or 7d, or give a [timespan], for instance 1.12:00:00.");
        var fault = duration < TimeSpan.Zero ? "must not be below 0"
            : duration == TimeSpan.Zero && !AllowZero ? "must be above 0"
            : MaxDays > 0 && duration.TotalDays > MaxDays ? $"must not be longer than {MaxDays} days"
            : null;
        return fault is null ? duration : throw new ArgumentTransformationMetadataException($"The duration '{text ?? duration.ToString()}' {fault}.");
    }

    /// <summary>The span that a text says, or null where it says none.</summary>
    internal static TimeSpan? Parse(string text)
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
}
