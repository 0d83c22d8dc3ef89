using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsDiagnostic.Test, "CheckpointStore")]
[OutputType(typeof(StoreFinding))]
public sealed class TestCheckpointStoreCommand : StoreScopeCommand
{
    private protected override IEnumerable<StoreFinding> Hold(IEnumerable<StoreFinding> findings) => findings;

    private protected override void See(CheckpointStore store, StoreFinding finding) => WriteObject(finding);
}
