using System.Globalization;

namespace Checkpoint;

/// <summary>Renews a lease behind the work, three times in the time that it lasts, until it is given back or lost.</summary>
internal sealed class LeaseRenewal : IDisposable
{
    private const int Renewals = 3;

    private readonly TimeProvider _time;
    private readonly TimeSpan _duration;
    private readonly Func<CancellationToken, string?> _renew;
    private readonly CancellationTokenSource _lost = new();
    private readonly object _gate = new();
    private readonly ITimer _timer;
    private long _renewed;
    private string? _whyLost;
    private string? _fault;
    private bool _isRenewing;
    private bool _isClosed;

    /// <param name="time">The clock.</param>
    /// <param name="duration">How long the lease lasts without being renewed.</param>
    /// <param name="asked">The timestamp before it was asked for: by then it cannot have begun.</param>
    /// <param name="renew">Renews it, and gives null; or says why it is gone. Throws where that cannot be told.</param>
    public LeaseRenewal(TimeProvider time, TimeSpan duration, long asked, Func<CancellationToken, string?> renew)
    {
        (_time, _duration, _renewed, _renew) = (time, duration, asked, renew);
        _timer = time.CreateTimer(_ => Renew(), null, duration / Renewals, duration / Renewals);
    }

    public CancellationToken Lost => _lost.Token;

    public DateTimeOffset ExpiresAt
    {
        get
        {
            lock (_gate)
                return _time.GetUtcNow() + _duration - _time.GetElapsedTime(_renewed);
        }
    }

    /// <summary>Why the lease is gone, or null.</summary>
    public string? WhyLost
    {
        get
        {
            lock (_gate)
            {
                // By the clock of this process, which began to count before the store's did: nobody else can have it before that.
                if (_whyLost is null && _time.GetElapsedTime(_renewed) > _duration)
                    Lose(string.Create(CultureInfo.InvariantCulture, $"it could not be renewed for {_duration.TotalSeconds:0.###} seconds{(_fault is null ? "" : $" ({_fault})")}"));
                return _whyLost;
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
            _isClosed = true;
        _timer.Dispose();
    }

    private void Renew()
    {
        lock (_gate)
        {
            if (_isClosed || _isRenewing || _whyLost is not null)
                return;
            _isRenewing = true;
        }
        var asked = _time.GetTimestamp();
        string? lost = null, fault = null;
        try
        {
            using var patience = new CancellationTokenSource(_duration, _time);
            lost = _renew(patience.Token);
        }
        // Whatever it is, as an ObjectDisposedException where the lease is given back at this moment: what a timer throws would end the process. Where it goes on the lease is lost for it.
        catch (Exception e)
        {
            fault = e.Message.TrimEnd('.');
        }
        lock (_gate)
        {
            _isRenewing = false;
            _fault = fault;
            if (lost is not null && !_isClosed)
                Lose(lost);
            else if (fault is null)
                _renewed = asked;
        }
        _ = WhyLost;
    }

    private void Lose(string reason)
    {
        _whyLost = reason;
        // Who is told may call back.
        _ = Task.Run(_lost.Cancel);
    }
}
