namespace Checkpoint;

/// <summary>A lease of a driver's store, renewed behind the work until it is given back.</summary>
/// <param name="driver">The driver.</param>
/// <param name="faults">Makes the errors.</param>
/// <param name="renewal">Renews it.</param>
internal sealed class DriverLease(StoreDriver driver, DriverFaults faults, LeaseRenewal renewal) : Lease
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private bool _isClosed;

    public override CancellationToken Lost => renewal.Lost;

    public override DateTimeOffset? ExpiresAt => renewal.ExpiresAt;

    public override ValueTask<string?> WhyLostAsync(CancellationToken cancellation) => new(renewal.WhyLost);

    public override void Dispose()
    {
        if (_isClosed)
            return;
        _isClosed = true;
        renewal.Dispose();
        try
        {
            using var patience = new CancellationTokenSource(Farewell);
            DriverCall.Wait(() => driver.ReleaseLeaseAsync(Fence, patience.Token));
        }
        catch (Exception e) when (e is OperationCanceledException || faults.Translate(e, "", Name) is not null)
        {
            // It ends by itself.
        }
    }
}
