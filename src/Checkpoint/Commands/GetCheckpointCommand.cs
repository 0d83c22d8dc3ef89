using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Get, "Checkpoint")]
[OutputType(typeof(CheckpointInfo))]
public sealed class GetCheckpointCommand : QueryCommand
{
    [Parameter]
    public SwitchParameter AllSteps { get; set; }

    protected override void OnProcess()
    {
        foreach (var name in Name ?? [null!])
        {
            var query = Query(name);
            var found = new HashSet<long>();
            var isFound = false;
            foreach (var reading in Wait(Engine.FindAsync(query, Step, AllSteps, Cancellation)))
            {
                isFound = true;
                if (reading.Info is { } info)
                {
                    found.Add(info.Step);
                    WriteObject(info);
                }
                else
                {
                    Report(reading.Fault!);
                }
            }
            if (query.Name.Literal is { } literal && query.Pipeline.Literal is not null && (query.Run is null || query.Run.Literal is not null))
                ReportMissing(literal, isFound);
        }
    }

    // What is listed beside something damaged is whole; the damage is worth a warning. Asked for by its step, it is the answer.
    private void Report(CheckpointException fault)
    {
        if (Step is null && fault.Kind == CheckpointErrorKind.CheckpointDamaged)
            WriteWarning(fault.Message);
        else
            WriteError(fault.ToErrorRecord());
    }

    private void ReportMissing(string name, bool isFound)
    {
        if (isFound && Step is null)
            return;
        var stage = Stage(name);
        var steps = Wait(Engine.Store.FindAsync(stage, Cancellation))?.Steps ?? [];
        if (Step is null)
        {
            WriteError(CheckpointErrors.NotFound(stage, null, Engine.Store.Location, steps).ToErrorRecord());
            return;
        }
        foreach (var step in Step.Where(s => !steps.Contains(s)))
            WriteError(CheckpointErrors.NotFound(stage, step, Engine.Store.Location, steps).ToErrorRecord());
    }
}
