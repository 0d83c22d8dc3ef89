using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Copy, "Checkpoint", SupportsShouldProcess = true)]
[OutputType(typeof(CheckpointInfo))]
public sealed class CopyCheckpointCommand : ScopedCommand
{
    private int _copied;
    private int _there;

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateRange(0L, long.MaxValue)]
    [ArgumentCompleter(typeof(StepCompleter))]
    public long[]? Step { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? From { get; set; }

    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string To { get; set; } = "";

    [Parameter]
    public SwitchParameter Overwrite { get; set; }

    [Parameter]
    public SwitchParameter Mirror { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override ContextSettings Given() => From is null ? base.Given() : base.Given() with { Store = new(ResolvePath(From)) };

    protected override void OnProcess()
    {
        if (Mirror && Step is not null)
            throw new InvalidArgumentException("-Mirror removes what the other store has besides, and -Step names what is copied alone: give one of them.");
        var from = StoreRegistry.Get(Context.Store.Value);
        var to = StoreRegistry.Get(ResolvePath(To));
        if (to.Location == from.Location)
            throw new InvalidArgumentException($"-From and -To are the same store, '{to.Location}'.");
        var started = Stopwatch.GetTimestamp();
        var copy = new StoreCopy(from, to);
        var scope = Scope();
        CopyCheckpoints(copy, scope, from, to);
        var removed = !Mirror ? 0
            : Wait(copy.RemoveOthersAsync(scope, (stage, steps) => ShouldProcess($"Checkpoint {stage}, {steps.Count} steps, in '{to.Location}'", $"Remove, as '{from.Location}' does not have it"), Cancellation)).Sum();
        // What was named alone has no runs and no history of its own.
        var (runs, events) = (0, 0L);
        if (Name is null && Step is null && ShouldProcess($"The runs and the history in '{from.Location}'", $"Copy to '{to.Location}'"))
        {
            var (count, faults) = Wait(copy.RunsAsync(scope, Cancellation));
            foreach (var fault in faults)
                WriteError(fault.ToErrorRecord());
            (runs, events) = (count, Wait(copy.HistoryAsync(scope, Cancellation)));
        }
        WriteVerbose(string.Create(CultureInfo.InvariantCulture, $"{_copied} checkpoints, {runs} runs and {events} events copied from '{from.Location}' to '{to.Location}', {removed} steps removed there. {Took(started)}"));
    }

    protected override void End() => WriteDone(string.Create(CultureInfo.InvariantCulture, $"Checkpoints copied: {_copied}, {_there} were there"));

    private void CopyCheckpoints(StoreCopy copy, StoreScope scope, CheckpointStore from, CheckpointStore to)
    {
        var progress = new TransferProgress(this, "Copying checkpoints");
        var (done, bytes) = (0L, 0L);
        bool MayCopy(CheckpointInfo info) => ShouldProcess($"Checkpoint {info.StageId}, step {info.Step}, in '{from.Location}'", $"Copy to '{to.Location}'");
        foreach (var outcome in Wait(copy.CheckpointsAsync(scope, Step, MayCopy, Overwrite || Mirror, read => progress.Report(done + (bytes = read), null), Cancellation)))
        {
            done += bytes;
            bytes = 0;
            if (outcome.Fault is not null)
                WriteError(outcome.Fault.ToErrorRecord());
            else if (outcome.IsNew)
                _copied++;
            else
                _there++;
            if (PassThru && outcome is { Fault: null, Checkpoint: { } info })
                WriteObject(info);
        }
        progress.Complete();
    }
}
