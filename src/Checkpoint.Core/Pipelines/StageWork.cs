using System.Collections.ObjectModel;

namespace Checkpoint;

/// <summary>A stage to be done, unless it is done already.</summary>
internal sealed record StageWork
{
    public required StageId Stage { get; init; }

    /// <summary>What the result depends on: a saved result of another fingerprint does not hold.</summary>
    public required CheckpointFingerprint Fingerprint { get; init; }

    /// <summary>Does the work once and gives its result; called on the caller's thread with the number of the attempt, from 1 up. It ends when the token is cancelled.</summary>
    public required Func<int, CancellationToken, IStateSource> Run { get; init; }

    /// <summary>What is to be said of the result beside it; asked when <see cref="Run"/> has given it.</summary>
    public Func<ReadOnlyDictionary<string, object?>> Metadata { get; init; } = static () => CheckpointInfo.NoMetadata;

    /// <summary>Makes an object of a saved result, or null where the caller has no need of it.</summary>
    public Func<StateReader, object?>? Decode { get; init; }

    /// <summary>The lease without which nothing may be saved, or null.</summary>
    public LeaseFence? Fence { get; init; }

    /// <summary>Whether to run though a saved result holds.</summary>
    public bool Force { get; init; }

    /// <summary>Whether a saved result of another fingerprint is taken as good for this one.</summary>
    public bool AcceptChange { get; init; }

    /// <summary>Guards the work, or null.</summary>
    public CircuitBreaker? Guard { get; init; }

    public RetryPolicy Retry { get; init; } = RetryPolicy.None;

    /// <summary>How long one attempt may take, or null for any time.</summary>
    public TimeSpan? Timeout { get; init; }

    public RetentionPolicy Retention { get; init; } = new();

    /// <summary>What a failure is really about: scripts wrap what was thrown.</summary>
    public Func<Exception, Exception> CauseOf { get; init; } = static e => e;

    /// <summary>Told, before the first attempt, that the stage runs, and why.</summary>
    public Func<CheckpointDecision, ValueTask>? OnStart { get; init; }

    /// <summary>Told of a failed attempt that is followed by another: the error, which attempt it was, and the pause.</summary>
    public Action<Exception, int, TimeSpan>? OnRetry { get; init; }

    /// <summary>Told that the guard came into another state.</summary>
    public Action<CircuitChange>? OnCircuitChange { get; init; }
}
