using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Lock, "Checkpoint", SupportsShouldProcess = true)]
[OutputType(typeof(CheckpointLease))]
public sealed class LockCheckpointCommand : ContextCommand
{
    [Parameter(Mandatory = true, Position = 0)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string Name { get; set; } = "";

    [Parameter]
    [Duration(MaxDays = DurationAttribute.TimerDays)]
    public TimeSpan For { get; set; } = TimeSpan.FromMinutes(1);

    [Parameter]
    [Duration(AllowZero = true)]
    public TimeSpan Timeout { get; set; }

    protected override void End()
    {
        var stage = Stage(Name);
        if (For < LeaseTaking.Shortest)
            throw new InvalidArgumentException($"-For must be {LeaseTaking.Shortest.TotalSeconds:0} seconds or more: it is renewed three times in that time, over a network too.");
        var store = Engine.Store.Location;
        if (SessionLeases.Find(store, stage) is { } held)
        {
            if (Wait(held.WhyLostAsync(Cancellation)) is null)
            {
                WriteVerbose($"This session has the lease of {stage} in '{store}' already.");
                WriteObject(new CheckpointLease(held, store));
                return;
            }
            SessionLeases.Current.Take(store, stage)?.Dispose();
        }
        if (!ShouldProcess($"Checkpoint {stage} in '{store}'", "Lock"))
            return;
        var lease = PipelineThread.Run(async () =>
        {
            var taking = new LeaseTaking(Engine, TimeProvider.System);
            var taken = await taking.TakeAsync(new LeaseName(stage), For, Timeout, WriteWarning, Cancellation);
            SessionLeases.Current.Add(store, stage, taken);
            await taking.RecordAsync(taken, Cancellation);
            return taken;
        });
        WriteDone($"Checkpoint locked: {stage.Name}");
        WriteObject(new CheckpointLease(lease, store));
    }
}
