using System.Diagnostics;
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
            throw new InvalidArgumentException("-Revision says which writing of a step is meant, so it needs -Step with one step.");
        foreach (var name in Name ?? [null!])
        {
            var query = Query(name, withLeftovers: IsUnconditional(Step));
            // Else it would come to be after it was cleared.
            Settle(query, waits: true);
            _requests.Add(new Request(Engine, query, name is not null, Step?.Select(step => new DoomedStep(step, Revision)).ToArray()));
        }
    }

    protected override void End()
    {
        foreach (var request in _requests.Where(r => r.Query.Stage is null))
            Clear(request);
        foreach (var stage in _requests.Where(r => r.Query.Stage is not null).GroupBy(r => (r.Engine.Store.Location, r.Query.Stage)))
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
        var started = Stopwatch.GetTimestamp();
        var progress = new CountProgress(this, "Clearing checkpoints");
        // Listed in full first: clearing changes the folders that a listing walks through.
        foreach (var stage in Wait(engine.Store.ListAsync(query, Cancellation)).ToList())
        {
            try
            {
                Clear(stage);
            }
            catch (CheckpointException e) when (query.Stage is null)
            {
                // The others are cleared all the same.
                WriteError(e.ToErrorRecord());
            }
        }
        progress.Complete();
        WriteVerbose($"{progress.Count} stages cleared in '{engine.Store.Location}'. {Took(started)}");

        void Clear(StageListing stage)
        {
            if (stage.Steps.Count == 0 && stage.Newest.Fault is { } unreadable)
                throw unreadable;
            var steps = all ? null : Wait(engine.SelectForClearingAsync(stage, named, olderThan, keep, Cancellation));
            if (steps is { Count: 0 })
                return;
            var target = $"Checkpoint {stage.Stage}, {(stage.Steps.Count == 0 ? "what a cut-off save or items left" : all ? "all steps" : "step " + string.Join(", ", steps!.Select(s => s.Step)))}, in '{engine.Store.Location}'";
            if (!ShouldProcess(target, "Clear"))
            {
                _isRefused = true;
                return;
            }
            progress.Report();
            var removed = Wait(stage.Steps.Count == 0 ? engine.ClearLeftoversAsync(stage.Stage, Cancellation) : engine.ClearAsync(stage.Stage, steps, null, Cancellation));
            WriteVerbose($"{target}: {removed} removed.");
            if (removed < steps?.Count)
                WriteVerbose($"Checkpoint {stage.Stage}: {steps.Count - removed} of these were removed or saved anew since they were looked at.");
            if (removed == 0 && stage.Newest.Fault is { } left)
                WriteWarning(left.Message);
            else if (all ? isNamed && stage.Steps.Count > 0 : removed > 0)
                WriteDone($"Checkpoint cleared: {stage.Stage.Name}");
        }
    }

    private sealed record Request(CheckpointEngine Engine, StageQuery Query, bool IsNamed, DoomedStep[]? Steps);
}
