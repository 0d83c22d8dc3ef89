namespace Checkpoint;

/// <summary>Keeps stages from calling, again and again, something that is down.</summary>
public sealed class CircuitBreaker : IStageGuard
{
    ValueTask<IStageAttempt> IStageGuard.EnterAsync(StageId stage, CancellationToken cancellation) => throw new NotSupportedException();
}
