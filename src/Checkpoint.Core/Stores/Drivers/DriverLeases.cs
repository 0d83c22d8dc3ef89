using System.Globalization;
using System.Text.Json;

namespace Checkpoint;

/// <summary>Leases of a driver's store that last for as long as their process lives: they are renewed behind the work, and end soon after their holder has died.</summary>
internal sealed class DriverLeases(StoreDriver driver, TimeProvider time)
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
        var taken = new DriverLease(driver, renewal, cancellation) { Name = name, Holder = holder with { TakenAt = lease.TakenAt }, Token = lease.Token, Duration = duration };
        try
        {
            if (FindBar(name, cancellation) is not { } bar)
                return new LeaseAttempt(taken, holder);
            taken.Dispose();
            return new LeaseAttempt(null, bar) { IsBarred = true };
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>Who has a lease now, or null.</summary>
    public LeaseHolder? Find(LeaseName name, CancellationToken cancellation) => HolderOf(name, cancellation) ?? (IsOfStage(name) ? FindWorker(name, cancellation) : null);

    // A stage's lease keeps out those who work on its items together, and theirs keep out that. Both are taken first and look for the other then, so that of two at once one at least sees the other.
    private LeaseHolder? FindBar(LeaseName name, CancellationToken cancellation)
    {
        if (IsOfStage(name))
            return FindWorker(name, cancellation);
        if (name is not { Name: { } stage, Worker: { } worker })
            return null;
        // That there is, or was, one of this number.
        DriverCall.Wait(async () =>
        {
            await using var save = await driver.BeginSaveAsync(WorkersOf(name, stage), cancellation).ConfigureAwait(false);
            return await save.CommitAsync(new StoreCommit { Step = worker, MakeRecord = static (_, _) => ("{}"u8.ToArray(), "1") }, cancellation).ConfigureAwait(false);
        });
        return HolderOf(name with { Worker = null }, cancellation);
    }

    private LeaseHolder? FindWorker(LeaseName name, CancellationToken cancellation) => DriverCall.Wait(() => driver.ListStepsAsync(WorkersOf(name, name.Name!), cancellation))
        .Select(worker => HolderOf(name with { Worker = (int)worker }, cancellation)).FirstOrDefault(holder => holder is not null);

    private LeaseHolder? HolderOf(LeaseName name, CancellationToken cancellation) =>
        DriverCall.Wait(() => driver.FindLeaseAsync(DriverKeys.Of(name), cancellation)) is { } lease ? Parse(lease) ?? new LeaseHolder("", "", 0, lease.TakenAt) : null;

    private static bool IsOfStage(LeaseName name) => name is { Name: not null, Worker: null, Document: null };

    private static StoreKey WorkersOf(LeaseName name, string stage) => DriverKeys.Of(new StageId(name.Pipeline, name.Run, stage), DriverKeys.ItemWorker);

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
