using System.Globalization;
using System.Text.Json;

namespace Checkpoint;

/// <summary>Leases of a driver's store that last for as long as their process lives: they are renewed behind the work, and end soon after their holder has died.</summary>
internal sealed class DriverLeases(StoreDriver driver, DriverFaults faults, TimeProvider time)
{
    /// <summary>How long a lease lasts without being renewed: for so long a dead holder blocks others.</summary>
    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);

    public LeaseAttempt TryTake(LeaseName name, LeaseHolder holder, CancellationToken cancellation)
    {
        var key = DriverKeys.Of(name);
        var asked = time.GetTimestamp();
        var (isGranted, lease) = DriverCall.Wait(() => driver.TryLeaseAsync(key, Describe(holder), Duration, cancellation));
        return isGranted
            ? new LeaseAttempt(new DriverLease(driver, faults, time, name, new StoreFence(key, lease.Token), Duration, asked), holder)
            : new LeaseAttempt(null, Parse(lease));
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
