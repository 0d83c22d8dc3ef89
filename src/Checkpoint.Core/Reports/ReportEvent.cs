namespace Checkpoint;

/// <summary>A line of the history in a report.</summary>
/// <param name="Time">When, UTC.</param>
/// <param name="Event">What happened.</param>
/// <param name="Pipeline">The pipeline.</param>
/// <param name="Run">The run, or null.</param>
/// <param name="Name">The stage, or null.</param>
/// <param name="Step">The step, or null.</param>
/// <param name="Reason">Why, or null.</param>
/// <param name="Host">The machine.</param>
/// <param name="User">The user.</param>
/// <param name="ProcessId">The process.</param>
internal sealed record ReportEvent(DateTimeOffset Time, string Event, string Pipeline, string? Run, string? Name, long? Step, string? Reason, string Host, string User, int ProcessId)
{
    public ReportEvent(CheckpointEvent e)
        : this(e.Time, e.Event, e.Pipeline, e.Run, e.Name, e.Step, e.Reason, e.Host, e.User, e.ProcessId)
    {
    }
}
