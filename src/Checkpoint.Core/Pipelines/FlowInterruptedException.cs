namespace Checkpoint;

/// <summary>The work was left by the caller's own wish, such as a break out of the loop around it: neither a success nor a failure to be tried again.</summary>
/// <param name="inner">What the caller is to see.</param>
internal sealed class FlowInterruptedException(Exception inner) : Exception(inner.Message, inner);
