using System.Collections.ObjectModel;

namespace Checkpoint;

/// <summary>What came of an execution of a pipeline. Immutable.</summary>
public sealed class PipelineResult
{
    internal PipelineResult()
    {
    }

    /// <summary>The pipeline.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>The run.</summary>
    public string Run { get; internal init; } = "";

    /// <summary>Completed, Partial, Failed or Interrupted.</summary>
    public RunStatus Status { get; internal init; }

    /// <summary>The stages in the order in which they were come to.</summary>
    public ReadOnlyCollection<StageResult> Stages { get; internal init; } = ReadOnlyCollection<StageResult>.Empty;

    /// <summary>How long this execution took.</summary>
    public TimeSpan Duration { get; internal init; }

    /// <summary>The name and the status.</summary>
    public override string ToString() => $"{Name}: {Status}";
}
