using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>The progress bar of work on many things, of which there is no telling how many. Work of less than a second shows none.</summary>
/// <param name="command">The cmdlet to write through.</param>
/// <param name="activity">What is under way.</param>
internal sealed class CountProgress(Cmdlet command, string activity)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private long _due = Stopwatch.GetTimestamp() + (long)(Patience.TotalSeconds * Stopwatch.Frequency);
    private bool _isShown;

    /// <summary>How many are done.</summary>
    public int Count { get; private set; }

    /// <summary>One more is done.</summary>
    public void Report()
    {
        Count++;
        var now = Stopwatch.GetTimestamp();
        if (now < _due)
            return;
        _due = now + (long)(Pause.TotalSeconds * Stopwatch.Frequency);
        _isShown = true;
        command.WriteProgress(new ProgressRecord(0, activity, $"{Count:n0}"));
    }

    public void Complete()
    {
        if (_isShown)
            command.WriteProgress(new ProgressRecord(0, activity, "done") { RecordType = ProgressRecordType.Completed });
    }
}
