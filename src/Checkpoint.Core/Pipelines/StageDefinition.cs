namespace Checkpoint;

/// <summary>A stage of a pipeline, as it was written.</summary>
internal sealed record StageDefinition
{
    public required string Name { get; init; }

    /// <summary>The names of the stages that must be complete before it.</summary>
    public IReadOnlyList<string> DependsOn { get; init; } = [];

    public bool IsDisabled { get; init; }

    /// <summary>The hashes of what its result depends on beside the results of other stages: its script, and what the user named.</summary>
    public required IReadOnlyDictionary<string, byte[]> Parts { get; init; }

    /// <summary>Does the work once; see <see cref="StageWork.Run"/>.</summary>
    public required Func<StageAttempt, CancellationToken, IStateSource> Run { get; init; }

    public RetryPolicy Retry { get; init; } = RetryPolicy.None;

    public TimeSpan? Timeout { get; init; }

    /// <summary>Guards the work, or null.</summary>
    public CircuitBreaker? Guard { get; init; }
}
