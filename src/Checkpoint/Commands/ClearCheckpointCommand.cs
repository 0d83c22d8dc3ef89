using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Clear, "Checkpoint", SupportsShouldProcess = true)]
public sealed class ClearCheckpointCommand : QueryCommand
{
    private bool _isRefused;

    [Parameter]
    [Duration]
    public TimeSpan OlderThan { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Keep { get; set; }

    protected override void OnProcess()
    {
        if (IsNameless())
            return;
        foreach (var name in Name ?? [null!])
            Clear(name);
        if (Name is null && Step is null && !IsGiven(nameof(OlderThan)) && !IsGiven(nameof(Keep)) && !_isRefused)
            WriteDone("All checkpoints cleared.");
    }

    private void Clear(string? name)
    {
        TimeSpan? olderThan = IsGiven(nameof(OlderThan)) ? OlderThan : null;
        int? keep = IsGiven(nameof(Keep)) ? Keep : null;
        // Listed in full first: clearing changes the folders that a listing walks through.
        foreach (var stage in Wait(Engine.Store.ListAsync(Query(name), Cancellation)).ToList())
        {
            var all = Step is null && olderThan is null && keep is null;
            var steps = all ? null : Wait(Engine.SelectForClearingAsync(stage, Step, olderThan, keep, Cancellation));
            if (steps is { Count: 0 })
                continue;
            var target = $"Checkpoint {stage.Stage}, {(all ? "all steps" : "step " + string.Join(", ", steps!))}, in '{Engine.Store.Location}'";
            if (!ShouldProcess(target, "Clear"))
            {
                _isRefused = true;
                continue;
            }
            var removed = Wait(Engine.ClearAsync(stage.Stage, steps, Cancellation));
            WriteVerbose($"{target}: {removed} removed.");
            if (name is not null || !all)
                WriteDone($"Checkpoint cleared: {stage.Stage.Name}");
        }
    }
}
