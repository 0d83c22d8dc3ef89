using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Unlock, "Checkpoint", SupportsShouldProcess = true)]
public sealed class UnlockCheckpointCommand : BoundContextCommand
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string Name { get; set; } = "";

    protected override void OnProcess()
    {
        var stage = Stage(Name);
        var store = Engine.Store.Location;
        if (SessionLeases.Find(store, stage) is not { } lease)
        {
            // What somebody else has is not given back for them.
            if (Wait(Engine.Store.FindLeaseAsync(new LeaseName(stage), Cancellation)) is { } holder)
                WriteError(CheckpointErrors.LeaseHeld(new LeaseName(stage), store, holder).ToErrorRecord());
            return;
        }
        if (!ShouldProcess($"Checkpoint {stage} in '{store}'", "Unlock"))
            return;
        SessionLeases.Current.Take(store, stage);
        if (Wait(new LeaseTaking(Engine, TimeProvider.System).GiveBackAsync(lease, Cancellation)) is { } lost)
            WriteError(CheckpointErrors.LeaseLost(lease.Name, store, lost).ToErrorRecord());
        else
            WriteDone($"Checkpoint unlocked: {stage.Name}");
    }
}
