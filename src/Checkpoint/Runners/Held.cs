namespace Checkpoint;

/// <summary>A value that is held back; it may be null.</summary>
/// <param name="Value">The value.</param>
internal sealed record Held(object? Value);
