namespace Checkpoint;

/// <summary>Decides whether an attempt may be made, and learns how it went: a circuit breaker.</summary>
internal interface IStageGuard
{
    /// <summary>Asks for an attempt.</summary>
    /// <returns>To be disposed of when the attempt is over; <see cref="IStageAttempt.Succeeded"/> before that where it went well.</returns>
    /// <exception cref="Exception">The attempt may not be made now.</exception>
    ValueTask<IStageAttempt> EnterAsync(StageId stage, CancellationToken cancellation);
}
