namespace Checkpoint;

/// <summary>Whether a failure is tried again, and after which pause: exponential, capped, exact without jitter.</summary>
/// <remarks>
/// The pause before retry n is <c>min(MaxDelay, Delay × Backoff^(n-1))</c>. With jitter a random share of it, at most <see cref="Jitter"/>, is left out: 1 is the "full jitter" of
/// M. Brooker, Exponential Backoff And Jitter (AWS Architecture Blog, 2015), which spreads many clients best.
/// </remarks>
internal sealed record RetryPolicy
{
    /// <summary>No retry.</summary>
    public static RetryPolicy None { get; } = new();

    /// <summary>How often at most, after the first attempt. 0 by default.</summary>
    public int Retry { get; init; }

    /// <summary>The pause before the first retry. 1 s by default.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>By what the pause grows from one retry to the next; 1 keeps it. 2 by default.</summary>
    public double Backoff { get; init; } = 2;

    /// <summary>The longest pause. 5 min by default.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The share of a pause, from 0 to 1, that chance may leave out. 0 by default.</summary>
    public double Jitter { get; init; }

    /// <summary>The names of the exception types, full or without namespace, that are tried again, derived ones included; empty for all.</summary>
    public IReadOnlyList<string> RetryOn { get; init; } = [];

    /// <summary>Whether a failure is tried again.</summary>
    /// <param name="error">What was thrown. What is thrown by a program that a script calls comes wrapped; the inner exceptions count too.</param>
    /// <param name="attempt">Which attempt failed, from 1 up.</param>
    public bool Applies(Exception error, int attempt)
    {
        if (attempt > Retry)
            return false;
        if (RetryOn.Count == 0)
            return true;
        for (var e = error; e is not null; e = e.InnerException)
        {
            for (var type = e.GetType(); type is not null && type != typeof(object); type = type.BaseType)
            {
                if (RetryOn.Any(name => name.Equals(type.FullName, StringComparison.OrdinalIgnoreCase) || name.Equals(type.Name, StringComparison.OrdinalIgnoreCase)))
                    return true;
            }
        }
        return false;
    }

    /// <summary>The pause before a retry.</summary>
    /// <param name="retry">Which retry, from 1 up.</param>
    /// <param name="random">Gives a number from 0 up to 1; <see cref="Random.Shared"/> by default.</param>
    public TimeSpan DelayBefore(int retry, Func<double>? random = null)
    {
        if (Delay == TimeSpan.Zero)
            return Delay;
        var ticks = Delay.Ticks * Math.Pow(Backoff, retry - 1);
        var pause = ticks < MaxDelay.Ticks ? TimeSpan.FromTicks((long)ticks) : MaxDelay;
        return Jitter > 0 ? pause * (1 - (Jitter * (random ?? Random.Shared.NextDouble)())) : pause;
    }
}
