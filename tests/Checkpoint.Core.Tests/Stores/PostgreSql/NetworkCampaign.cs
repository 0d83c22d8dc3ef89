using System.Diagnostics;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>
/// Eight processes save to one stage while the network between them and the server is cut and restored: silently, in a network namespace, where the machine allows that; else by a proxy that breaks all
/// connections. Nothing that was acknowledged is lost, nothing is there twice.
/// </summary>
[Trait("Category", "Campaign")]
public sealed class NetworkCampaign(ITestOutputHelper output)
{
    private const int Processes = 8;

    [PostgresFact(IsOwn = true, IsOfModule = true)]
    public async Task Nothing_acknowledged_is_lost_or_doubled_when_the_network_is_cut()
    {
        var campaign = new Campaign("Network", output);
        var random = campaign.Random;
        using var cable = NetworkCable.TryMake();
        using var server = cable is null ? PostgresCluster.Start() : PostgresCluster.Start(cable.Address);
        using var proxy = new NetworkProxy(server.Port);
        var (address, port) = cable is null ? ("127.0.0.1", proxy.Port) : (cable.Address, server.Port);
        using var workers = new SavingProcesses(Processes, $"postgresql://postgres:{Uri.EscapeDataString(PostgresCluster.Password)}@{address}:{port}/postgres", server.Folder, cable?.Launcher ?? []);
        await workers.WaitForSaves(10);
        var (cuts, waits, slowest) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < (Campaign.IsLong ? 20 : 2); round++)
        {
            await Task.Delay(random.Next(0, 1000));
            // Now and then for longer than a statement may take.
            var length = Campaign.IsLong && round % 4 == 3 ? random.Next(15_000, 25_000) : random.Next(100, 5_000);
            if (cable is null)
                proxy.Cut();
            else
                cable.Cut();
            await Task.Delay(length);
            if (cable is null)
                proxy.Restore();
            else
                cable.Restore();
            var restored = Stopwatch.GetTimestamp();
            await workers.WaitForEach(restored);
            var (first, each) = workers.WaitsAfter(restored);
            cuts.Add(length / 1000.0);
            waits.Add(first);
            slowest.Add(each.Max());
            campaign.Tries++;
        }
        workers.Stop();
        await using var driver = PostgresServer.Open(server.Uri);
        var saves = await workers.CompareAsync(driver, campaign, "all");
        campaign.End(FormattableString.Invariant(
            $"{saves} saves of {Processes} processes acknowledged; {(cable is null ? "by a proxy" : "silently")}, for {cuts.Order().ElementAt(cuts.Count / 2):0.0} s, at most {cuts.Max():0.0} s; behind it the first save came after {waits.Order().ElementAt(waits.Count / 2):0.0} s, at most {waits.Max():0.0} s; that of the slowest process after {slowest.Order().ElementAt(slowest.Count / 2):0.0} s, at most {slowest.Max():0.0} s"));
    }
}
