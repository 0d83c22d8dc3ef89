namespace Checkpoint;

/// <summary>What became of an item, to be written to its stage's journal.</summary>
internal sealed class ItemEntry
{
    public required ItemId Id { get; init; }

    /// <summary>The key, for people.</summary>
    public required string Key { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Why it failed, or null where it is done.</summary>
    public string? Error { get; init; }

    /// <summary>Its output, or null where that is not kept.</summary>
    public ItemOutput? Output { get; init; }
}
