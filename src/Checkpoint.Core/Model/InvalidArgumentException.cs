namespace Checkpoint;

/// <summary>A mistake in what the user gave, which no parameter attribute can find. Any other <see cref="ArgumentException"/> is a fault of the code.</summary>
internal sealed class InvalidArgumentException(string message) : ArgumentException(message);
