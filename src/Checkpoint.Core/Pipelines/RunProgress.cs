using System.Collections.ObjectModel;

namespace Checkpoint;

/// <summary>How far an execution of a pipeline has come.</summary>
/// <param name="stages">The stages in their order.</param>
internal sealed class RunProgress(IReadOnlyList<StageDefinition> stages)
{
    private readonly Dictionary<string, StageResult> _results = [];
    private readonly Dictionary<string, CheckpointInfo> _checkpoints = [];

    public IReadOnlyList<StageDefinition> Stages => stages;

    /// <summary>The checkpoints of the stages that are complete, by the keys of their names.</summary>
    public IReadOnlyDictionary<string, CheckpointInfo> Checkpoints => _checkpoints;

    /// <summary>The stages that were come to, in their order.</summary>
    public ReadOnlyCollection<StageResult> Results => stages.Select(s => _results.GetValueOrDefault(CheckpointNames.Key(s.Name))).OfType<StageResult>().ToList().AsReadOnly();

    /// <summary>What the result of a stage depends on: its own parts, and which results of other stages it was made from. Where one of those is made anew, it no longer holds.</summary>
    public CheckpointFingerprint FingerprintOf(StageDefinition stage)
    {
        var parts = new Dictionary<string, byte[]>(stage.Parts, StringComparer.Ordinal);
        foreach (var before in stage.DependsOn)
            parts[$"output of {CheckpointNames.Key(before)}"] = FingerprintHash.Scalar("revision", _checkpoints[CheckpointNames.Key(before)].Revision);
        return FingerprintHash.Combine(parts);
    }

    public string? WhyDisabled(StageDefinition stage) =>
        stage.IsDisabled ? "it is disabled" : Before(stage, StageStatus.Disabled) is { } before ? $"it depends on '{before}', which is disabled" : null;

    public string? WhyNotRun(StageDefinition stage) =>
        Before(stage, StageStatus.Failed) is { } failed ? $"it depends on '{failed}', which failed"
        : Before(stage, StageStatus.NotRun) is { } notRun ? $"it depends on '{notRun}', which did not run"
        : null;

    public StageResult End(StageDefinition stage, StageStatus status, string? reason) => _results[CheckpointNames.Key(stage.Name)] = new StageResult { Name = stage.Name, Status = status, Reason = reason };

    public void Skip(StageDefinition stage, CheckpointInfo checkpoint)
    {
        End(stage, StageStatus.Skipped, null);
        _checkpoints[CheckpointNames.Key(stage.Name)] = checkpoint;
    }

    public StageResult End(StageDefinition stage, StageOutcome outcome, string? error)
    {
        if (outcome.Checkpoint is not null)
            _checkpoints[CheckpointNames.Key(stage.Name)] = outcome.Checkpoint;
        return _results[CheckpointNames.Key(stage.Name)] = new StageResult
        {
            Name = stage.Name,
            Status = outcome.Status,
            // Told when it is over: by then there may be one.
            Reason = outcome.Decision.Cause == DecisionCause.NotFound ? "there was no checkpoint" : outcome.Decision.Reason,
            Attempts = outcome.Attempts,
            Duration = outcome.Duration,
            Error = error,
        };
    }

    /// <summary>Accounts for what was not come to.</summary>
    public void EndRest()
    {
        foreach (var stage in stages.Where(s => !_results.ContainsKey(CheckpointNames.Key(s.Name))))
            End(stage, StageStatus.NotRun, "the run was stopped");
    }

    /// <summary>The status of a run that came to its end.</summary>
    public RunStatus Status(bool continued)
    {
        var statuses = _results.Values.Select(r => r.Status).ToHashSet();
        return !statuses.Contains(StageStatus.Failed) ? RunStatus.Completed
            : continued && (statuses.Contains(StageStatus.Completed) || statuses.Contains(StageStatus.Skipped)) ? RunStatus.Partial
            : RunStatus.Failed;
    }

    private string? Before(StageDefinition stage, StageStatus status) =>
        stage.DependsOn.FirstOrDefault(d => _results.TryGetValue(CheckpointNames.Key(d), out var result) && result.Status == status);
}
