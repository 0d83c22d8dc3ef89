namespace Checkpoint.Tests;

/// <summary>A clock on which ten seconds pass between two looks, so that nobody waits for what was to be a while ago.</summary>
internal sealed class HastyTime : TimeProvider
{
    private long _timestamp;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Add(ref _timestamp, 10 * TimeSpan.TicksPerSecond);
}
