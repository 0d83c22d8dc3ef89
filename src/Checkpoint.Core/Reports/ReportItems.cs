namespace Checkpoint;

/// <summary>The items of a stage.</summary>
/// <param name="Done">How many are done.</param>
/// <param name="Failed">How many failed when they were tried last.</param>
internal sealed record ReportItems(long Done, long Failed);
