namespace Checkpoint;

/// <summary>A step that is to be removed.</summary>
/// <param name="Step">Its number.</param>
/// <param name="Revision">Only while it has this revision; or null for any.</param>
public sealed record StoreStep(long Step, string? Revision);
