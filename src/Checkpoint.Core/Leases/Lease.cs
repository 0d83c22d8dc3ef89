namespace Checkpoint;

/// <summary>The right to be the only one at work on something, until it is disposed of or the process ends.</summary>
internal abstract class Lease : IDisposable
{
    /// <summary>What a save gives to the store, so that it is refused when the right is gone; null where the store cannot tell.</summary>
    public virtual StoreFence? Fence => null;

    /// <summary>Says why the right is gone, though nobody here gave it back: somebody else may have it by now.</summary>
    /// <returns>Null where it is still there.</returns>
    /// <exception cref="CheckpointException">An error of the store: it cannot be told.</exception>
    public abstract ValueTask<string?> WhyLostAsync(CancellationToken cancellation);

    public abstract void Dispose();
}
