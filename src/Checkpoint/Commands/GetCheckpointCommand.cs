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
        if (IsNameless())
            return;
        foreach (var name in Name ?? [null!])
        {
            var query = Query(name);
            var damage = new List<CheckpointException>();
            var isFound = false;
            foreach (var reading in Wait(Engine.FindAsync(query, Step, AllSteps, Cancellation)))
            {
                if (reading.Info is { } info)
                {
                    isFound = true;
                    WriteObject(info);
                }
                else if (Step is null && reading.Fault!.Kind == CheckpointErrorKind.CheckpointDamaged)
                {
                    damage.Add(reading.Fault);
                }
                else
                {
                    WriteError(reading.Fault!.ToErrorRecord());
                }
            }
            ReportDamage(damage, isFound || name is null || !IsOneStage(query));
            if (IsOneStage(query))
                ReportMissing(query.Name.Literal!, isFound || damage.Count > 0);
        }
    }

    private static bool IsOneStage(StageQuery query) => query is { Name.Literal: not null, Pipeline.Literal: not null } && query.Run is null or { Literal: not null };

    // Beside what is whole, damage is worth a warning. Where nothing else is left of a stage that was named, it is the answer.
    private void ReportDamage(List<CheckpointException> damage, bool isBesideOthers)
    {
        foreach (var fault in damage)
        {
            if (isBesideOthers)
                WriteWarning(fault.Message);
            else
                WriteError(fault.ToErrorRecord());
        }
    }

    private void ReportMissing(string name, bool isThere)
    {
        if (isThere && Step is null)
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
