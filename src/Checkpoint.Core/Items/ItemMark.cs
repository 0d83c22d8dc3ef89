namespace Checkpoint;

/// <summary>What one line of a journal says.</summary>
/// <param name="Id">The item.</param>
/// <param name="IsDone">True where it is done, false where it failed.</param>
/// <param name="Place">Where its output can be asked for, or -1 where none is kept.</param>
/// <param name="At">Where the line itself can be asked for.</param>
internal readonly record struct ItemMark(ItemId Id, bool IsDone, long Place, long At);
