namespace Checkpoint;

/// <summary>A piece of a stage's time.</summary>
/// <param name="Kind">What it was.</param>
/// <param name="Start">When it began, UTC.</param>
/// <param name="End">When it ended, UTC; null while it goes on.</param>
/// <param name="Outcome">Of an attempt that ended: how.</param>
internal sealed record ReportSpan(ReportSpanKind Kind, DateTimeOffset Start, DateTimeOffset? End, ReportOutcome? Outcome = null);
