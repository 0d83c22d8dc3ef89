using System.Globalization;
using System.Text.Json;

namespace Checkpoint;

/// <summary>Leases of a driver's store that last for as long as their process lives: they are renewed behind the work, and end soon after their holder has died.</summary>
internal sealed class DriverLeases(StoreDriver driver, DriverFaults faults, TimeProvider time)
{
    // What lasts for as long as its process lives: for so long a dead one blocks others.
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    /// <param name="name">What it is on.</param>
    /// <param name="holder">Who takes it.</param>
    /// <param name="duration">For how long unless it is renewed; or null for as long as the process lives.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public LeaseAttempt TryTake(LeaseName name, LeaseHolder holder, TimeSpan? duration, CancellationToken cancellation)
    {
        var key = DriverKeys.Of(name);
        var asked = time.GetTimestamp();
        var length = duration ?? Lifetime;
        var (isGranted, lease) = DriverCall.Wait(() => driver.TryLeaseAsync(key, Describe(holder), length, cancellation));
        if (!isGranted)
            return new LeaseAttempt(null, Parse(lease));
        var fence = new StoreFence(key, lease.Token);
        var renewal = new LeaseRenewal(time, length, asked, patience =>
            DriverCall.Wait(() => driver.RenewLeaseAsync(fence, length, patience)) ? null : "its time was over before it was renewed, as after a pause of this process");
        return new LeaseAttempt(new DriverLease(driver, faults, renewal) { Name = name, Holder = holder with { TakenAt = lease.TakenAt }, Token = lease.Token, Duration = duration }, holder);
    }

    /// <summary>Who has a lease now, or null.</summary>
    public LeaseHolder? Find(LeaseName name, CancellationToken cancellation) =>
        DriverCall.Wait(() => driver.FindLeaseAsync(DriverKeys.Of(name), cancellation)) is { } lease ? Parse(lease) ?? new LeaseHolder("", "", 0, lease.TakenAt) : null;

    private static string Describe(LeaseHolder holder)
    {
        // A name that is too long is cut rather than refused.
        var (host, user) = (ShortText.Cut(holder.Host, 200), ShortText.Cut(holder.User, 200));
        return JsonSerializer.Serialize(new Dictionary<string, string> { ["host"] = host, ["user"] = user, ["processId"] = holder.ProcessId.ToString(CultureInfo.InvariantCulture) });
    }

    private static LeaseHolder? Parse(StoreLease lease)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(lease.Holder) is { } holder
                ? new LeaseHolder(holder["host"], holder["user"], int.Parse(holder["processId"], CultureInfo.InvariantCulture), lease.TakenAt) : null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException or OverflowException)
        {
            return null;
        }
    }
}
