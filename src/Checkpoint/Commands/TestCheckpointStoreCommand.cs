using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsDiagnostic.Test, "CheckpointStore")]
[OutputType(typeof(StoreFinding))]
public sealed class TestCheckpointStoreCommand : StoreScopeCommand
{
    private protected override IEnumerable<StoreFinding> Hold(IEnumerable<StoreFinding> findings) => findings;

    private protected override void See(CheckpointStore store, StoreFinding finding) => WriteObject(finding with { Message = finding.Message + Advice(finding) });

    // What else is to be done stands in the message itself; a repair does it and says what it did.
    private static string Advice(StoreFinding finding) => finding.Remedy switch
    {
        FindingAction.Quarantined => " Repair-CheckpointStore puts it aside.",
        FindingAction.Acknowledged => " Find out who did it; Repair-CheckpointStore writes down that it is known.",
        _ => "",
    };
}
