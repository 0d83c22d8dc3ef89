namespace Checkpoint;

/// <summary>What is known of a circuit breaker, by all who use it.</summary>
internal sealed record CircuitRecord
{
    /// <summary>The pipeline, NFC.</summary>
    public required string Pipeline { get; init; }

    /// <summary>The breaker's name, NFC.</summary>
    public required string Name { get; init; }

    public CircuitState State { get; init; }

    /// <summary>How often its state has changed. A call that began under another number says nothing about the state that is in force when it ends.</summary>
    public long Changes { get; init; }

    /// <summary>Since when it is in this state, UTC; the beginning of time where it never changed.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>Until when no call is made, UTC; where it is open.</summary>
    public DateTimeOffset? OpenUntil { get; init; }

    /// <summary>How many calls in a row failed; where it is closed.</summary>
    public int Failures { get; init; }

    /// <summary>How many trials in a row succeeded; where it is half-open.</summary>
    public int Successes { get; init; }

    /// <summary>What the failure that counted last said, or null.</summary>
    public string? LastError { get; init; }

    /// <summary>The record with another state, in which nothing is counted yet.</summary>
    public CircuitRecord To(CircuitState state, DateTimeOffset now) => this with { State = state, Changes = Changes + 1, Since = now, OpenUntil = null, Failures = 0, Successes = 0 };
}
