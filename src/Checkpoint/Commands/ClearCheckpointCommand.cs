using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Clear, "Checkpoint", SupportsShouldProcess = true)]
public sealed class ClearCheckpointCommand : QueryCommand
{
    private readonly List<Request> _requests = [];
    private bool _isRefused;

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? Revision { get; set; }

    [Parameter]
    [Duration]
    public TimeSpan OlderThan { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Keep { get; set; }

    // Only gathered here: piped steps come newest first, and cut off half-way that order would leave an old step as the latest.
    protected override void OnProcess()
    {
        if (IsNameless())
            return;
        if (Revision is not null && Step is not { Length: 1 })
            throw new ArgumentException("-Revision says which writing of a step is meant, so it needs -Step with one step.");
        foreach (var name in Name ?? [null!])
            _requests.Add(new Request(Engine, Query(name, withLeftovers: IsUnconditional(Step)), name is not null, Step?.Select(step => new DoomedStep(step, Revision)).ToArray()));
    }

    protected override void End()
    {
        foreach (var request in _requests.Where(r => r.Query.Stage is null))
            Clear(request);
        foreach (var stage in _requests.Where(r => r.Query.Stage is not null).GroupBy(r => (r.Engine.Store, r.Query.Stage)))
            Clear(stage.First() with { Steps = stage.Any(r => r.Steps is null) ? null : [.. stage.SelectMany(r => r.Steps!)] });
        if (Name is null && !MyInvocation.ExpectingInput && IsUnconditional(Step) && !_isRefused)
            WriteDone("All checkpoints cleared.");
    }

    private bool IsUnconditional(object? steps) => steps is null && !IsGiven(nameof(OlderThan)) && !IsGiven(nameof(Keep));

    private void Clear(Request request)
    {
        var (engine, query, isNamed, named) = request;
        TimeSpan? olderThan = IsGiven(nameof(OlderThan)) ? OlderThan : null;
        int? keep = IsGiven(nameof(Keep)) ? Keep : null;
        var all = IsUnconditional(named);
        // Listed in full first: clearing changes the folders that a listing walks through.
        foreach (var stage in Wait(engine.Store.ListAsync(query, Cancellation)).ToList())
        {
            var steps = all ? null : Wait(engine.SelectForClearingAsync(stage, named, olderThan, keep, Cancellation));
            if (steps is { Count: 0 })
                continue;
            var target = $"Checkpoint {stage.Stage}, {(stage.Steps.Count == 0 ? "the journal of its items" : all ? "all steps" : "step " + string.Join(", ", steps!.Select(s => s.Step)))}, in '{engine.Store.Location}'";
            if (!ShouldProcess(target, "Clear"))
            {
                _isRefused = true;
                continue;
            }
            var removed = Wait(engine.ClearAsync(stage.Stage, steps, null, Cancellation));
            WriteVerbose($"{target}: {removed} removed.");
            if (removed < steps?.Count)
                WriteVerbose($"Checkpoint {stage.Stage}: {steps.Count - removed} of these were removed or saved anew since they were looked at.");
            if (all ? isNamed : removed > 0)
                WriteDone($"Checkpoint cleared: {stage.Stage.Name}");
        }
    }

    private sealed record Request(CheckpointEngine Engine, StageQuery Query, bool IsNamed, DoomedStep[]? Steps);
}
