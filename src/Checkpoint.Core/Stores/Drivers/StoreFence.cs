namespace Checkpoint;

/// <summary>A lease that must be held at the moment of a commit.</summary>
/// <param name="Lease">What it is on.</param>
/// <param name="Token">Its fencing token.</param>
public sealed record StoreFence(StoreKey Lease, long Token);
