namespace Checkpoint;

/// <summary>A call that a circuit breaker let through.</summary>
/// <param name="gate">Which let it through.</param>
/// <param name="began">The number of the breaker's changes at that time.</param>
/// <param name="trial">The lease of the trial that it is, or null.</param>
internal sealed class CircuitCall(CircuitGate gate, long began, IDisposable? trial) : IDisposable
{
    /// <summary>Says that it went well.</summary>
    public ValueTask SucceededAsync(CancellationToken cancellation) => gate.CountAsync(began, trial, null, cancellation);

    /// <summary>Says that it failed.</summary>
    /// <param name="error">What with.</param>
    /// <param name="cancellation">Ends the waiting for others.</param>
    public ValueTask FailedAsync(string error, CancellationToken cancellation) => gate.CountAsync(began, trial, error, cancellation);

    public void Dispose() => trial?.Dispose();
}
