namespace Checkpoint;

/// <summary>Which keys are meant.</summary>
/// <param name="Kind">Those of this kind.</param>
/// <param name="Pipeline">Those of this pipeline; null for every pipeline.</param>
/// <param name="Run">Those of this run; null for all that <paramref name="InRuns"/> says.</param>
/// <param name="InRuns">True for what belongs to a run, false for what belongs to none.</param>
/// <param name="Name">Those of this name; null for every name, and for none.</param>
public sealed record StoreQuery(string Kind, string? Pipeline, string? Run, bool InRuns, string? Name);
