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
    public const int TimerDays = DurationText.TimerDays;

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
        var span = value is TimeSpan given ? given : DurationText.Parse(text!.Trim());
        if (span is not { } duration)
            throw new ArgumentTransformationMetadataException($"{DurationText.None(text!)}, or give a [timespan], for instance 1.12:00:00.");
        var fault = DurationText.FaultOf(duration, AllowZero, MaxDays);
        return fault is null ? duration : throw new ArgumentTransformationMetadataException($"The duration '{text ?? duration.ToString()}' {fault}.");
    }
}
