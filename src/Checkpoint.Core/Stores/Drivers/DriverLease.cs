namespace Checkpoint;

/// <summary>A lease of a driver's store, renewed behind the work until it is given back.</summary>
/// <param name="driver">The driver.</param>
/// <param name="renewal">Renews it.</param>
/// <param name="workStopped">Cancelled where the work for which it was taken is stopped.</param>
internal sealed class DriverLease(StoreDriver driver, LeaseRenewal renewal, CancellationToken workStopped) : Lease
{
    // It ends by itself; this has others wait less.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ShortFarewell = TimeSpan.FromMilliseconds(50);

    private bool _isClosed;

    public override CancellationToken Lost => renewal.Lost;

    public override DateTimeOffset? ExpiresAt => renewal.ExpiresAt;

    public override ValueTask<string?> WhyLostAsync(CancellationToken cancellation) => new(renewal.WhyLost);

    public override void Dispose() => GiveBack(workStopped);

    public override void GiveBack(CancellationToken stopped)
    {
        if (_isClosed)
            return;
        _isClosed = true;
        renewal.Dispose();
        var release = Task.Run(ReleaseAsync, CancellationToken.None);
        try
        {
            release.Wait(stopped);
        }
        catch (OperationCanceledException)
        {
            // Left to itself where the server does not answer.
            release.Wait(ShortFarewell, CancellationToken.None);
        }
    }

    private async Task ReleaseAsync()
    {
        using var patience = new CancellationTokenSource(Farewell);
        try
        {
            await driver.ReleaseLeaseAsync(Fence.OfDriver, patience.Token).ConfigureAwait(false);
        }
        // Whatever it is, nobody waits for it.
        catch (Exception)
        {
        }
    }
}
