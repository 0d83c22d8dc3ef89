namespace Checkpoint;

/// <summary>What a metrics hook counted of one stage. Immutable.</summary>
public sealed record StageMetrics
{
    internal StageMetrics()
    {
    }

    /// <summary>The stage.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>What became of it, <c>Completed</c> or <c>Failed</c>; <c>Running</c> until it has ended.</summary>
    public string Status { get; internal init; } = "Running";

    /// <summary>How long it took, retries and pauses included; zero until it has ended.</summary>
    public TimeSpan Duration { get; internal init; }

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; internal init; } = 1;

    /// <summary>How often it was tried again.</summary>
    public int Retries { get; internal init; }

    /// <summary>The message of the error that it failed with last, or null.</summary>
    public string? Error { get; internal init; }

    /// <summary>The name and the status.</summary>
    public override string ToString() => $"{Name}: {Status}";
}
