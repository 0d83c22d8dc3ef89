namespace Checkpoint;

/// <summary>What is the matter with what a record keeps.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Severity">How grave it is.</param>
/// <param name="Message">In words.</param>
internal sealed record StateVerdict(StoreFindingKind Kind, FindingSeverity Severity, string Message);
