using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Get, "CheckpointContext")]
[OutputType(typeof(CheckpointContext))]
public sealed class GetCheckpointContextCommand : BoundContextCommand
{
    protected override void OnProcess() => WriteObject(Context.Resolve());
}
