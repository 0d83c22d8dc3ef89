namespace Checkpoint;

/// <summary>The right to be the only one at work on something, until it is disposed of, the process ends, or it could not be renewed for as long as it lasts.</summary>
internal abstract class Lease : IDisposable
{
    /// <summary>What it is on.</summary>
    public required LeaseName Name { get; init; }

    /// <summary>Who has it.</summary>
    public required LeaseHolder Holder { get; init; }

    /// <summary>The fencing token: of one name, each lease has a higher one than all before.</summary>
    public required long Token { get; init; }

    /// <summary>How long it lasts unless it is renewed, which happens behind the work; null where it lasts for as long as the process lives.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>What a save gives to the store, so that it is refused when the right is gone.</summary>
    public LeaseFence Fence => new(Name, Token);

    /// <summary>Cancelled when it is known that the right is gone.</summary>
    public virtual CancellationToken Lost => CancellationToken.None;

    /// <summary>When it ends unless it is renewed, by the clock of this machine; null where nothing but the process's end ends it.</summary>
    public virtual DateTimeOffset? ExpiresAt => null;

    /// <summary>Says why the right is gone, though nobody here gave it back: somebody else may have it by now.</summary>
    /// <returns>Null where it is still there.</returns>
    /// <exception cref="CheckpointException">An error of the store: it cannot be told.</exception>
    public abstract ValueTask<string?> WhyLostAsync(CancellationToken cancellation);

    /// <summary>Gives it back, and does not wait for long where that is stopped: it ends by itself.</summary>
    public virtual void GiveBack(CancellationToken stopped) => Dispose();

    public abstract void Dispose();
}
