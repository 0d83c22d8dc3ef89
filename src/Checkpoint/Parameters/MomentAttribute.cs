using System.Globalization;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>Takes a time, or how long ago it was: <c>2h</c>, <c>7d</c> as <see cref="DurationAttribute"/>. A time that does not say its offset is local.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class MomentAttribute : ArgumentTransformationAttribute
{
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var value = inputData is PSObject wrapper ? wrapper.BaseObject : inputData;
        try
        {
            return value switch
            {
                DateTimeOffset moment => moment,
                DateTime time => new DateTimeOffset(time),
                TimeSpan span => Before(span),
                _ => Parse(LanguagePrimitives.ConvertTo<string>(inputData)?.Trim() ?? ""),
            };
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new ArgumentTransformationMetadataException($"'{inputData}' is before all time.");
        }
    }

    private static DateTimeOffset Parse(string text) =>
        DurationAttribute.Parse(text) is { } span ? Before(span)
        // A bare number would be taken for a day of this month.
        : !text.All(char.IsAsciiDigit) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var moment) ? moment
        : throw new ArgumentTransformationMetadataException($"'{text}' is no time. Write how long ago it was, as 90s, 15m, 36h or 7d, or a time such as 2026-03-01 12:00.");

    private static DateTimeOffset Before(TimeSpan span) => span >= TimeSpan.Zero
        ? TimeProvider.System.GetUtcNow() - span
        : throw new ArgumentTransformationMetadataException($"The duration '{span}' must not be below 0.");
}
