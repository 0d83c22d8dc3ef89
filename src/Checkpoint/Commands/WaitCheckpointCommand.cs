using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsLifecycle.Wait, "Checkpoint", DefaultParameterSetName = "Pending")]
public sealed class WaitCheckpointCommand : ContextCommand
{
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string[]? Name { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "Pending")]
    public SwitchParameter Pending { get; set; }

    protected override void Process()
    {
        if (Pending)
            WaitForPending(Name?.Select(Stage).ToHashSet());
    }

    private void WaitForPending(HashSet<StageId>? stages)
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        var store = stages is null ? null : Engine.Store.Location;
        bool IsMeant(string location, StageId stage) => stages is null || (location == store && stages.Contains(stage));
        PendingSaves.OfProcess.Wait(IsMeant, Cancellation);
        WriteVerbose($"Nothing is being saved any more. {Took(started)}");
        TellFailures(IsMeant, throwsLast: true);
    }
}
