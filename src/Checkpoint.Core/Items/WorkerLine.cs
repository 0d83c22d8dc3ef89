namespace Checkpoint;

/// <summary>
/// What one of those who work on a stage's items together writes to its journal: that it is there, which items it will do, which of them it leaves to others. Whoever has the same number and a lower
/// token is over by then, and what that had claimed is free.
/// </summary>
/// <param name="Worker">Its number among them, from 1 up.</param>
/// <param name="Token">The fencing token of its lease.</param>
/// <param name="At">When, UTC.</param>
internal sealed record WorkerLine(int Worker, long Token, DateTimeOffset At)
{
    /// <summary>The items that it will do, but for those that somebody else has claimed before.</summary>
    public IReadOnlyList<ItemId> Claimed { get; init; } = [];

    /// <summary>The items that it leaves to others.</summary>
    public IReadOnlyList<ItemId> Released { get; init; } = [];
}
