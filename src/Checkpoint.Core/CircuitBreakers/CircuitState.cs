namespace Checkpoint;

/// <summary>The states of a circuit breaker.</summary>
public enum CircuitState
{
    /// <summary>Calls are made, and failures in a row counted.</summary>
    Closed,

    /// <summary>No call is made for some time.</summary>
    Open,

    /// <summary>One call at a time is made, to see whether it goes well again.</summary>
    HalfOpen,
}
