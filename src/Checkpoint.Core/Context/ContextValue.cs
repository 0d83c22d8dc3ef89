namespace Checkpoint;

/// <summary>A resolved value and where it comes from.</summary>
/// <typeparam name="T">The value's type.</typeparam>
internal readonly record struct ContextValue<T>(T Value, string Source);
