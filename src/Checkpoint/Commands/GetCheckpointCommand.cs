using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Get, "Checkpoint")]
[OutputType(typeof(CheckpointInfo))]
public sealed class GetCheckpointCommand : QueryCommand
{
    [Parameter]
    public SwitchParameter AllSteps { get; set; }

    [Parameter]
    [AllowNull]
    public object? Key { get; set; }

    private protected override ContextSetting<CheckpointKey> KeySetting => KeyOf(Key);

    protected override void OnProcess()
    {
        if (IsNameless())
            return;
        foreach (var name in Name ?? [null!])
        {
            var started = Stopwatch.GetTimestamp();
            var progress = new CountProgress(this, "Reading checkpoints");
            var query = Query(name);
            Settle(query, waits: false);
            var damage = new List<CheckpointException>();
            var isFound = false;
            foreach (var reading in Wait(Engine.FindAsync(query, Step, AllSteps, Cancellation)))
            {
                progress.Report();
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
            progress.Complete();
            if (IsVerbose)
                WriteVerbose($"{progress.Count} checkpoints read in '{Engine.Store.Location}'. {Took(started)}");
            ReportDamage(damage, isFound || query.Stage is null);
            if (query.Stage is { } stage)
                ReportMissing(stage, isFound || damage.Count > 0);
        }
    }

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

    private void ReportMissing(StageId stage, bool isThere)
    {
        if (isThere && Step is null)
            return;
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
