using System.Globalization;

namespace Checkpoint;

/// <summary>What a progress bar of items shows, and when it is time to show it.</summary>
/// <param name="time">The clock.</param>
/// <param name="total">How many items there are, or null where the input does not tell.</param>
internal sealed class ItemProgress(TimeProvider time, long? total)
{
    /// <summary>The shortest time from one showing to the next: five in a second.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly long _started = time.GetTimestamp();
    private long _shown = time.GetTimestamp();

    /// <summary>Whether it is time to show how far the work is; true at most once in <see cref="Pause"/>.</summary>
    public bool IsDue()
    {
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(_shown, now) < Pause)
            return false;
        _shown = now;
        return true;
    }

    /// <summary>The text, in the words of the counts, with the rate of what was run.</summary>
    public string Describe(ItemCounts counts) => string.Create(
        CultureInfo.InvariantCulture,
        $"{counts.Done:n0} done, {counts.Skipped:n0} skipped, {counts.Failed + counts.FailedBefore:n0} failed; {Rate(counts):n1}/s{(total is null ? "; how many there are is not known, they are piped in" : $"; of {total:n0}")}");

    /// <summary>How much of the input is through, from 0 to 100; -1 where that is not known.</summary>
    public int Percent(ItemCounts counts) => total is null ? -1 : total == 0 ? 100 : (int)Math.Clamp(100 * Through(counts) / total.Value, 0, 100);

    /// <summary>How many seconds are left at the rate so far; -1 where that is not known.</summary>
    public int SecondsLeft(ItemCounts counts) =>
        total is not null && Rate(counts) is > 0 and var rate ? (int)Math.Min(int.MaxValue, Math.Ceiling((total.Value - Through(counts)) / rate)) : -1;

    private static long Through(ItemCounts counts) => counts.Done + counts.Skipped + counts.Failed + counts.FailedBefore + counts.Doubled;

    private double Rate(ItemCounts counts) => (counts.Done + counts.Failed) / Math.Max(time.GetElapsedTime(_started).TotalSeconds, 0.001);
}
