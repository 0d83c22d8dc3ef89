namespace Checkpoint;

/// <summary>What is done where another process is at work on the run or stage.</summary>
public enum BusyRun
{
    /// <summary>It is an error that says who it is.</summary>
    Fail,

    /// <summary>It is waited for.</summary>
    Wait,
}
