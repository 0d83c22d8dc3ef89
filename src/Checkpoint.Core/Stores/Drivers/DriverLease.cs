namespace Checkpoint;

/// <summary>A lease of a driver's store, renewed behind the work until it is given back.</summary>
internal sealed class DriverLease : Lease
{
    // Three attempts fit into the time that is left.
    private const int Renewals = 3;

    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private readonly StoreDriver _driver;
    private readonly DriverFaults _faults;
    private readonly TimeProvider _time;
    private readonly LeaseName _name;
    private readonly TimeSpan _duration;
    private readonly ITimer _timer;
    private readonly object _gate = new();
    private long _renewed;
    private string? _lost;
    private string? _fault;
    private bool _isRenewing;
    private bool _isClosed;

    /// <param name="driver">The driver.</param>
    /// <param name="faults">Makes the errors.</param>
    /// <param name="time">The clock.</param>
    /// <param name="name">What it is on.</param>
    /// <param name="fence">The lease.</param>
    /// <param name="duration">For how long it was granted.</param>
    /// <param name="asked">The timestamp before it was asked for: by then it cannot have begun.</param>
    public DriverLease(StoreDriver driver, DriverFaults faults, TimeProvider time, LeaseName name, StoreFence fence, TimeSpan duration, long asked)
    {
        (_driver, _faults, _time, _name, Fence, _duration, _renewed) = (driver, faults, time, name, fence, duration, asked);
        _timer = time.CreateTimer(_ => Renew(), null, duration / Renewals, duration / Renewals);
    }

    public override StoreFence? Fence { get; }

    public override ValueTask<string?> WhyLostAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            // By the clock of this process, which began to count before the store's did: nobody else can have it yet.
            if (_lost is null && _time.GetElapsedTime(_renewed) > _duration)
                _lost = $"it could not be renewed for {_duration.TotalSeconds:0} seconds{(_fault is null ? "" : $" ({_fault})")}";
            return new(_lost);
        }
    }

    public override void Dispose()
    {
        lock (_gate)
        {
            if (_isClosed)
                return;
            _isClosed = true;
        }
        _timer.Dispose();
        try
        {
            using var patience = new CancellationTokenSource(Farewell, _time);
            DriverCall.Wait(() => _driver.ReleaseLeaseAsync(Fence!, patience.Token));
        }
        catch (Exception e) when (e is OperationCanceledException || _faults.Translate(e, "", _name) is not null)
        {
            // It ends by itself.
        }
    }

    private void Renew()
    {
        lock (_gate)
        {
            if (_isClosed || _isRenewing || _lost is not null)
                return;
            _isRenewing = true;
        }
        var asked = _time.GetTimestamp();
        var (isHeld, fault) = (true, (string?)null);
        try
        {
            using var patience = new CancellationTokenSource(_duration, _time);
            isHeld = DriverCall.Wait(() => _driver.RenewLeaseAsync(Fence!, _duration, patience.Token));
        }
        catch (Exception e) when (e is OperationCanceledException || _faults.Translate(e, "", _name) is not null)
        {
            fault = e.Message.TrimEnd('.');
        }
        lock (_gate)
        {
            _isRenewing = false;
            _fault = fault;
            if (!isHeld)
                _lost = "its time was over before it was renewed, as after a pause of this process";
            else if (fault is null)
                _renewed = asked;
        }
    }
}
