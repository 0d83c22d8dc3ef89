namespace Checkpoint;

/// <summary>An attempt was not made, for its circuit breaker is open. To a retry it is a failure like any other: <c>-RetryOn</c> matches it by this name.</summary>
internal sealed class CircuitOpenException(string message) : Exception(message);
