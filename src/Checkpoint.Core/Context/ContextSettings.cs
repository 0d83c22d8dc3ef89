namespace Checkpoint;

/// <summary>The values that a caller set itself: the parameters of a call, or those of Set-CheckpointContext.</summary>
internal sealed record ContextSettings
{
    public ContextSetting<string> Store { get; init; }

    /// <summary>The replica of the store that these settings, or lesser ones, name.</summary>
    public ContextSetting<string> Replica { get; init; }

    public ContextSetting<ReplicaMode?> ReplicaMode { get; init; }

    public ContextSetting<string> Pipeline { get; init; }

    public ContextSetting<string> Run { get; init; }

    /// <summary>The key, or null in it for none.</summary>
    public ContextSetting<CheckpointKey> Key { get; init; }

    public ContextSetting<int?> Keep { get; init; }
}
