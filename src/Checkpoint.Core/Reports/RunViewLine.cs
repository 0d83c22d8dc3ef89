namespace Checkpoint;

/// <summary>A line of a terminal.</summary>
/// <param name="Text">What it says.</param>
/// <param name="Status">The status whose colour it has, by name; or null for none.</param>
internal sealed record RunViewLine(string Text, string? Status);
