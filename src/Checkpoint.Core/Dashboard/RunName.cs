namespace Checkpoint;

/// <summary>Which run of which pipeline; null for what belongs to none.</summary>
internal sealed record RunName(string Pipeline, string? Run);
