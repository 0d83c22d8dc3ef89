using System.Management.Automation;

namespace Checkpoint;

/// <summary>A stage for Invoke-CheckpointPipeline. Immutable.</summary>
public sealed class CheckpointStage
{
    internal CheckpointStage()
    {
    }

    /// <summary>The name.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>What it does.</summary>
    public ScriptBlock ScriptBlock { get; internal init; } = null!;

    /// <summary>The names of the stages that must be complete before it.</summary>
    public IReadOnlyList<string> DependsOn { get; internal init; } = [];

    /// <summary>Whether it is left out, with those that depend on it.</summary>
    public bool Disabled { get; internal init; }

    /// <summary>How often it is tried again.</summary>
    public int Retry => RetryPolicy.Retry;

    /// <summary>How long one attempt may take, or null for any time.</summary>
    public TimeSpan? Timeout { get; internal init; }

    /// <summary>What guards it, or null.</summary>
    public CircuitBreaker? CircuitBreaker { get; internal init; }

    internal RetryPolicy RetryPolicy { get; init; } = RetryPolicy.None;

    /// <summary>The hashes of what its result depends on.</summary>
    internal IReadOnlyDictionary<string, byte[]> Parts { get; init; } = new Dictionary<string, byte[]>();

    /// <summary>What a non-terminating error in it does.</summary>
    internal ActionPreference Errors { get; init; }

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
