namespace Checkpoint;

/// <summary>An item that failed when it was tried last.</summary>
/// <param name="Key">Its key.</param>
/// <param name="At">When, UTC.</param>
/// <param name="Error">The message of its error.</param>
internal sealed record ReportItemFailure(string Key, DateTimeOffset At, string Error);
