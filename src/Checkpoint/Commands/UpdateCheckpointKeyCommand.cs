using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsData.Update, "CheckpointKey", SupportsShouldProcess = true)]
public sealed class UpdateCheckpointKeyCommand : QueryCommand
{
    [Parameter]
    [AllowNull]
    public object? Key { get; set; }

    [Parameter(Mandatory = true)]
    public object NewKey { get; set; } = null!;

    private protected override ContextSetting<CheckpointKey> KeySetting => KeyOf(Key);

    protected override void OnProcess()
    {
        if (IsNameless())
            return;
        var newKey = KeyParameter.Read(NewKey)!;
        foreach (var name in Name ?? [null!])
        {
            var query = Query(name, withLeftovers: Step is null);
            // Else it would come to be with the old key after it was looked for.
            Settle(query, waits: true);
            var progress = new CountProgress(this, "Changing keys");
            var stages = Wait(Engine.Store.ListAsync(query, Cancellation)).ToList();
            if (stages.Count == 0 && query.Stage is { } missing)
                WriteError(CheckpointErrors.NotFound(missing, null, Engine.Store.Location, []).ToErrorRecord());
            foreach (var stage in stages)
                Update(stage, newKey, progress);
            progress.Complete();
        }
    }

    private void Update(StageListing stage, CheckpointKey newKey, CountProgress progress)
    {
        var isChanged = false;
        foreach (var step in Step is null ? stage.Steps : stage.Steps.Where(Step.Contains))
        {
            progress.Report();
            var target = $"Checkpoint {stage.Stage}, step {step}, in '{Engine.Store.Location}'";
            isChanged |= Try(target, () => Wait(Engine.ChangeTo(newKey).ApplyAsync(stage.Stage, step, Cancellation)));
        }
        if (Step is null && stage.HasItems)
            isChanged |= Try($"The outputs of the items of {stage.Stage} in '{Engine.Store.Location}'", () => Wait(Engine.ChangeTo(newKey).ApplyToItemsAsync(stage.Stage, Cancellation)) > 0);
        if (isChanged)
            WriteDone($"Checkpoint key updated: {stage.Stage.Name}");
    }

    // What one of them does not open, or is damaged, does not keep the others from it.
    private bool Try(string target, Func<bool> update)
    {
        try
        {
            if (!ShouldProcess(target, "Change the key"))
                return false;
            var isChanged = update();
            WriteVerbose($"{target}: {(isChanged ? "the key was changed" : "it is not encrypted, or the new key opens it already")}.");
            return isChanged;
        }
        catch (CheckpointException e)
        {
            WriteError(e.ToErrorRecord());
            return false;
        }
    }
}
