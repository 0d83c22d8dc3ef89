namespace Checkpoint;

/// <summary>What is to be done with a stage.</summary>
public enum StageDecision
{
    /// <summary>It is done: skip it.</summary>
    Skip,

    /// <summary>It is to be run.</summary>
    Run,
}
