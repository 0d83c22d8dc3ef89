namespace Checkpoint;

/// <summary>A lease that must be held at the moment when something is saved or removed.</summary>
/// <param name="Name">What it is on.</param>
/// <param name="Token">Its fencing token.</param>
internal sealed record LeaseFence(LeaseName Name, long Token)
{
    /// <summary>The same to a driver.</summary>
    public StoreFence OfDriver => new(DriverKeys.Of(Name), Token);
}
