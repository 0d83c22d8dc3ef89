using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsData.Restore, "Checkpoint")]
[OutputType(typeof(object))]
public sealed class RestoreCheckpointCommand : BoundContextCommand
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string Name { get; set; } = "";

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateRange(0L, long.MaxValue)]
    [ArgumentCompleter(typeof(StepCompleter))]
    public long? Step { get; set; }

    [Parameter]
    [ValidateNotNull]
    public object? InputObject { get; set; }

    [Parameter]
    [AllowNull]
    public object? Key { get; set; }

    private protected override ContextSetting<CheckpointKey> KeySetting => KeyOf(Key);

    protected override void OnProcess()
    {
        var started = Stopwatch.GetTimestamp();
        var stage = Stage(Name);
        if (InputObject is not null)
            StatefulObject.RequireSetState(InputObject, stage, Engine.Store.Location);

        var progress = new TransferProgress(this, $"Restoring checkpoint '{stage.Name}'");
        var (checkpoint, state, damage) = Wait(Engine.RestoreAsync(
            stage,
            Step,
            reader => StateDecoder.Decode(reader, Cancellation),
            (read, total) => progress.Report(read, total),
            Cancellation));
        progress.Complete();
        WarnOf(damage, checkpoint);
        WarnOf(Engine.DoubtOf(checkpoint));
        if (InputObject is not null)
            SetState(checkpoint, state);
        else if (checkpoint.State is { IsSequence: true })
            WriteObject(state, enumerateCollection: true);
        else if (checkpoint.State is not null)
            WriteObject(state, enumerateCollection: false);
        WriteDone($"Checkpoint restored: {checkpoint.Name}");
        WriteVerbose($"Checkpoint {stage}, step {checkpoint.Step}, restored from '{checkpoint.Location}' in {Stopwatch.GetElapsedTime(started).TotalMilliseconds:0.0} ms.");
    }

    private void SetState(CheckpointInfo checkpoint, object? state)
    {
        if (checkpoint.State is null)
            throw CheckpointErrors.NoState(checkpoint.StageId, checkpoint.Step, checkpoint.Store);
        StatefulObject.RequireSameIdentity(checkpoint, InputObject!, Cancellation);
        StatefulObject.SetState(InputObject!, state, checkpoint.StageId, checkpoint.Store);
    }
}
