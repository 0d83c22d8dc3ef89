using System.Collections.ObjectModel;

namespace Checkpoint;

/// <summary>A hook that counts. What it shows is of the last execution of a pipeline; at the start of the next all begins at zero.</summary>
public sealed class CheckpointMetrics : IPipelineHook
{
    private readonly List<StageMetrics> _stages = [];

    internal CheckpointMetrics()
    {
    }

    /// <summary>The pipeline, or null before its first execution.</summary>
    public string? Pipeline { get; private set; }

    /// <summary>The run, or null before its first execution.</summary>
    public string? Run { get; private set; }

    /// <summary><c>Running</c>, or what came of the execution; null before the first.</summary>
    public string? Status { get; private set; }

    /// <summary>When the execution started, UTC; null before the first.</summary>
    public DateTimeOffset? StartedAt { get; private set; }

    /// <summary>How long it took; zero until it has ended.</summary>
    public TimeSpan Duration { get; private set; }

    /// <summary>The stages that ran, in their order; those that were skipped fire no hook and are not among them.</summary>
    public ReadOnlyCollection<StageMetrics> Stages => _stages.ToList().AsReadOnly();

    /// <summary>How many stages completed.</summary>
    public int Completed => _stages.Count(s => s.Status == nameof(StageStatus.Completed));

    /// <summary>How many stages failed.</summary>
    public int Failed => _stages.Count(s => s.Status == nameof(StageStatus.Failed));

    /// <summary>How many stages were skipped, for they were complete already; zero until the execution has ended.</summary>
    public int Skipped { get; private set; }

    /// <summary>How often stages were tried, in all.</summary>
    public int Attempts => _stages.Sum(s => s.Attempts);

    /// <summary>How often stages were tried again, in all.</summary>
    public int Retries => _stages.Sum(s => s.Retries);

    /// <summary>How long stages took, in all.</summary>
    public TimeSpan StageDuration => _stages.Aggregate(TimeSpan.Zero, (sum, s) => sum + s.Duration);

    /// <summary>How often circuit breakers changed their state.</summary>
    public int CircuitChanges { get; private set; }

    /// <summary>The pipeline and its status.</summary>
    public override string ToString() => $"{Pipeline}: {Status}";

    void IPipelineHook.On(HookEvent e)
    {
        switch (e.Hook)
        {
            case "BeforePipeline":
                _stages.Clear();
                (Pipeline, Run, Status, StartedAt) = (e.Pipeline, e.Run, "Running", e.Time);
                (Duration, Skipped, CircuitChanges) = (TimeSpan.Zero, 0, 0);
                break;
            case "BeforeStage":
                _stages.Add(new StageMetrics { Name = e.Stage! });
                break;
            case "OnRetry":
                // The attempt after the one that failed is about to be made.
                _stages[^1] = _stages[^1] with { Attempts = e.Attempt!.Value + 1, Retries = e.Attempt.Value, Error = e.Error!.Message };
                break;
            case "OnCircuitBreaker":
                CircuitChanges++;
                break;
            case "AfterStage":
                _stages[^1] = _stages[^1] with { Status = e.Status!, Duration = e.Duration!.Value, Attempts = e.Attempt!.Value, Retries = e.Attempt.Value - 1, Error = e.Error?.Message };
                break;
            case "AfterPipeline":
                (Status, Duration) = (e.Status, e.Duration!.Value);
                Skipped = e.Result!.Stages.Count(s => s.Status == StageStatus.Skipped);
                break;
        }
    }
}
