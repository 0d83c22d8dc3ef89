namespace Checkpoint;

/// <summary>What a hook of a pipeline is told, as <c>$_</c> and as its first argument. Immutable.</summary>
public sealed class HookEvent
{
    internal HookEvent()
    {
    }

    /// <summary>Which hook it is, such as <c>BeforeStage</c>.</summary>
    public string Hook { get; internal init; } = "";

    /// <summary>When, UTC.</summary>
    public DateTimeOffset Time { get; internal init; }

    /// <summary>The pipeline.</summary>
    public string Pipeline { get; internal init; } = "";

    /// <summary>The run.</summary>
    public string? Run { get; internal init; }

    /// <summary>The stage, or null for the pipeline as a whole.</summary>
    public string? Stage { get; internal init; }

    /// <summary>Why a stage runs, or why a circuit breaker changed; or null.</summary>
    public string? Reason { get; internal init; }

    /// <summary>Which attempt failed, or null.</summary>
    public int? Attempt { get; internal init; }

    /// <summary>The pause before the next attempt, or null.</summary>
    public TimeSpan? Delay { get; internal init; }

    /// <summary>How long the stage or the pipeline took, or null.</summary>
    public TimeSpan? Duration { get; internal init; }

    /// <summary>What became of the stage or the pipeline, or the new state of the circuit breaker; or null.</summary>
    public string? Status { get; internal init; }

    /// <summary>What was thrown, or null.</summary>
    public Exception? Error { get; internal init; }

    /// <summary>The result, for AfterPipeline.</summary>
    public PipelineResult? Result { get; internal init; }

    /// <summary>The name of the circuit breaker, for OnCircuitBreaker.</summary>
    public string? CircuitBreaker { get; internal init; }

    /// <summary>The hook and what it is about.</summary>
    public override string ToString() => Stage is null ? $"{Hook} {Pipeline}" : $"{Hook} {Stage}";
}
