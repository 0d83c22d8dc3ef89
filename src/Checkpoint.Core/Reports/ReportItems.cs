namespace Checkpoint;

/// <summary>The items of a stage.</summary>
/// <param name="Done">How many are done.</param>
/// <param name="Failed">How many failed when they were tried last.</param>
/// <param name="Failures">Those that failed; of very many the last hundred.</param>
internal sealed record ReportItems(long Done, long Failed, IReadOnlyList<ReportItemFailure> Failures);
