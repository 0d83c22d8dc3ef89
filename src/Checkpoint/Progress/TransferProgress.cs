using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>The progress bar of large state. Small state shows none.</summary>
/// <param name="command">The cmdlet to write through.</param>
/// <param name="activity">What is under way.</param>
internal sealed class TransferProgress(Cmdlet command, string activity)
{
    // 16 MiB pass before anybody could read the bar.
    private const long Threshold = 16 << 20;
    private const double Mebibyte = 1 << 20;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private long _shownAt;

    /// <param name="bytes">The bytes done.</param>
    /// <param name="total">The bytes in all, or null where that is not known.</param>
    public void Report(long bytes, long? total)
    {
        if ((total ?? bytes) < Threshold || (_shownAt != 0 && Stopwatch.GetElapsedTime(_shownAt) < Pause))
            return;
        _shownAt = Stopwatch.GetTimestamp();
        var record = new ProgressRecord(0, activity, total is null ? $"{bytes / Mebibyte:n0} MiB" : $"{bytes / Mebibyte:n0} of {total / Mebibyte:n0} MiB");
        if (total > 0)
            record.PercentComplete = (int)Math.Min(100, bytes * 100 / total.Value);
        command.WriteProgress(record);
    }

    public void Complete()
    {
        if (_shownAt != 0)
            command.WriteProgress(new ProgressRecord(0, activity, "done") { RecordType = ProgressRecordType.Completed });
    }
}
