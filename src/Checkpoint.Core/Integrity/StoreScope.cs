namespace Checkpoint;

/// <summary>What of a store is verified or repaired.</summary>
internal sealed record StoreScope
{
    public NamePattern Pipeline { get; init; } = NamePattern.Any;

    /// <summary>The runs; null for what belongs to no run. <see cref="NamePattern.Any"/> means both.</summary>
    public NamePattern? Run { get; init; } = NamePattern.Any;

    /// <summary>The stages. Only where all are meant, also what belongs to none, such as histories.</summary>
    public NamePattern Name { get; init; } = NamePattern.Any;

    /// <summary>What encrypted states are opened with; null where their bytes alone are judged.</summary>
    public CheckpointKey? Key { get; init; }
}
