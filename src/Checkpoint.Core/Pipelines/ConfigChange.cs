namespace Checkpoint;

/// <summary>What is done where an unfinished run was started with another configuration.</summary>
public enum ConfigChange
{
    /// <summary>A warning names the changed parts, and a new run is started.</summary>
    NewRun,

    /// <summary>It is an error.</summary>
    Error,

    /// <summary>The run is resumed all the same.</summary>
    Ignore,
}
