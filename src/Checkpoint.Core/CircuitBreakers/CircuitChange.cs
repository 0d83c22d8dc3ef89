namespace Checkpoint;

/// <summary>A circuit breaker came into another state.</summary>
/// <param name="Breaker">The breaker's name.</param>
/// <param name="State">The new state.</param>
/// <param name="Reason">Why, in words.</param>
internal sealed record CircuitChange(string Breaker, CircuitState State, string Reason)
{
    /// <summary>In words, for messages.</summary>
    public override string ToString() => $"Circuit breaker {(State == CircuitState.HalfOpen ? "half-open" : State.ToString().ToLowerInvariant())}: {Breaker}: {Reason}";
}
