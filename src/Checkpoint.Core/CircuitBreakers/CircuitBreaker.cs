namespace Checkpoint;

/// <summary>
/// Keeps stages from calling, again and again, something that is down. Its state is kept in the store, in the pipeline, under its name: all that use a breaker
/// of one name share it, whatever process they are in. Immutable.
/// </summary>
/// <remarks>The pattern is that of M. Nygard, Release It! (2007), chapter 5: closed, open, half-open.</remarks>
public sealed class CircuitBreaker
{
    /// <summary>The name by which it is shared where none is given.</summary>
    public const string DefaultName = "default";

    internal CircuitBreaker()
    {
    }

    /// <summary>The name, NFC. <see cref="DefaultName"/> by default.</summary>
    public string Name { get; internal init; } = DefaultName;

    /// <summary>How many calls in a row must fail for it to open. 1 or more, 5 by default.</summary>
    public int FailureThreshold { get; internal init; } = 5;

    /// <summary>How many trials in a row must succeed for it to close again. 1 or more, 2 by default.</summary>
    public int SuccessThreshold { get; internal init; } = 2;

    /// <summary>How long it stays open before the first trial. Above 0, 60 s by default.</summary>
    public TimeSpan OpenFor { get; internal init; } = TimeSpan.FromSeconds(60);

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
