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
        DurationText.Parse(text) is { } span ? Before(span)
        : DurationText.ParseMoment(text, TimeProvider.System) ?? throw new ArgumentTransformationMetadataException(DurationText.NoMoment(text));

    private static DateTimeOffset Before(TimeSpan span) => span >= TimeSpan.Zero
        ? TimeProvider.System.GetUtcNow() - span
        : throw new ArgumentTransformationMetadataException($"The duration '{span}' must not be below 0.");
}
