namespace Checkpoint;

/// <summary>What became of a stage in a run. Immutable.</summary>
public sealed class StageResult
{
    internal StageResult()
    {
    }

    /// <summary>The stage.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>What became of it.</summary>
    public StageStatus Status { get; internal init; }

    /// <summary>Why, in words, or null where the status says it all.</summary>
    public string? Reason { get; internal init; }

    /// <summary>How often it was tried in this execution of the run.</summary>
    public int Attempts { get; internal init; }

    /// <summary>How long it took, retries and pauses included; zero where it did not run.</summary>
    public TimeSpan Duration { get; internal init; }

    /// <summary>The message of the error that it failed with, or null.</summary>
    public string? Error { get; internal init; }

    /// <summary>The name and the status.</summary>
    public override string ToString() => $"{Name}: {Status}";
}
