using System.Globalization;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsDiagnostic.Repair, "CheckpointStore", SupportsShouldProcess = true)]
[OutputType(typeof(StoreFinding))]
public sealed class RepairCheckpointStoreCommand : StoreScopeCommand
{
    private string? _quarantine;

    private protected override IEnumerable<StoreFinding> Hold(IEnumerable<StoreFinding> findings) => findings.ToList();

    private protected override void See(CheckpointStore store, StoreFinding finding)
    {
        var action = finding.Remedy switch
        {
            FindingAction.Quarantined => $"Move into the quarantine ({finding.Kind})",
            FindingAction.Removed => "Remove what a cut-off save left",
            FindingAction.Rebuilt => "Write anew from the history",
            FindingAction.Acknowledged => "Write into the history that it is known",
            _ => null,
        };
        if (action is null)
        {
            // It is still there when all else is mended, and so must be said.
            if (finding.Severity == FindingSeverity.Error)
                WriteObject(finding);
            return;
        }
        if (!ShouldProcess(finding.Location, action))
            return;
        try
        {
            _quarantine ??= string.Create(CultureInfo.InvariantCulture, $"{Engine.UtcNow:yyyyMMdd'T'HHmmss'Z'}-{Guid.NewGuid().ToString("N")[..8]}");
            if (Wait(store.RepairAsync(finding, _quarantine, null, Cancellation)) is { } done)
                WriteObject(done);
        }
        catch (CheckpointException e) when (e.Kind is not (CheckpointErrorKind.StoreReadOnly or CheckpointErrorKind.StoreFull))
        {
            // The others are seen to all the same.
            WriteError(e.ToErrorRecord());
        }
    }
}
