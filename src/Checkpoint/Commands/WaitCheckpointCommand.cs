using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsLifecycle.Wait, "Checkpoint", DefaultParameterSetName = CompletedSet)]
[OutputType(typeof(CheckpointInfo))]
public sealed class WaitCheckpointCommand : ContextCommand
{
    private const string CompletedSet = "Completed", PendingSet = "Pending";

    [Parameter(Position = 0, Mandatory = true, ParameterSetName = CompletedSet)]
    [Parameter(Position = 0, ParameterSetName = PendingSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string[]? Name { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = PendingSet)]
    public SwitchParameter Pending { get; set; }

    [Parameter(ParameterSetName = CompletedSet)]
    [Duration]
    public TimeSpan Timeout { get; set; }

    [Parameter(ParameterSetName = CompletedSet)]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object? Fingerprint { get; set; }

    [Parameter(ParameterSetName = CompletedSet)]
    public SwitchParameter PassThru { get; set; }

    protected override void Process()
    {
        if (Pending)
            WaitForPending(Name?.Select(Stage).ToHashSet());
        else
            WaitForStages(Name!.Select(Stage).ToList());
    }

    private void WaitForStages(List<StageId> stages)
    {
        var started = Stopwatch.GetTimestamp();
        var fingerprint = IsGiven(nameof(Fingerprint)) ? ObjectFingerprint.Of(Fingerprint, Cancellation, ReportHashed) : null;
        foreach (var stage in stages)
        {
            // All of them together may take that long.
            TimeSpan? left = IsGiven(nameof(Timeout)) ? Timeout - Stopwatch.GetElapsedTime(started) : null;
            var found = PipelineThread.Run(() => new StageWait(Engine, TimeProvider.System).RunAsync(stage, fingerprint, left, Cancellation));
            WriteVerbose($"Checkpoint {stage} is complete, since {found.SavedAt:u}. {Took(started)}");
            if (PassThru)
                WriteObject(found);
        }
    }

    private void WaitForPending(HashSet<StageId>? stages)
    {
        var started = Stopwatch.GetTimestamp();
        var store = stages is null ? null : Engine.Store.Location;
        bool IsMeant(string location, StageId stage) => stages is null || (location == store && stages.Contains(stage));
        PendingSaves.OfProcess.Wait(IsMeant, Cancellation);
        WriteVerbose($"Nothing is being saved any more. {Took(started)}");
        TellFailures(IsMeant, throwsLast: true);
    }
}
