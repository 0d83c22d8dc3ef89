using System.Diagnostics;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>
/// Two servers, of which one is the synchronous standby of the other; eight processes save to one stage; the primary is killed and the standby promoted. Nothing that was acknowledged is lost, nothing
/// is there twice.
/// </summary>
[Trait("Category", "Campaign")]
public sealed class FailoverCampaign(ITestOutputHelper output)
{
    private const int Processes = 8;

    [PostgresFact(IsOwn = true, IsOfModule = true)]
    public async Task Nothing_acknowledged_is_lost_or_doubled_when_the_primary_is_killed()
    {
        var campaign = new Campaign("Failover", output);
        var saves = 0;
        var (pauses, slowest) = (new List<double>(), new List<double>());
        for (var round = 0; round < (Campaign.IsLong ? 10 : 1); round++)
        {
            using var primary = PostgresCluster.Start();
            using var standby = primary.StartStandby("second", OperatingSystem.IsLinux() ? "127.0.0.2" : "127.0.0.1");
            primary.Sql("ALTER SYSTEM SET synchronous_standby_names = 'second'; SELECT pg_reload_conf();");
            var password = Uri.EscapeDataString(PostgresCluster.Password);
            using var workers = new SavingProcesses(Processes, $"postgresql://postgres:{password}@{primary.Address}:{primary.Port},{standby.Address}:{standby.Port}/postgres", primary.Folder);
            await workers.WaitForSaves(30);
            await Task.Delay(campaign.Random.Next(0, 500));
            var killed = Stopwatch.GetTimestamp();
            primary.Kill();
            standby.Promote();
            await workers.WaitForSaves(60, killed);
            workers.Stop();
            await using var driver = PostgresServer.Open(standby.Uri);
            saves += await workers.CompareAsync(driver, campaign, $"round {round}");
            // Nobody's saves go on before the standby is the primary; the slowest has to find it too.
            var (all, each) = workers.GapsSince(killed);
            pauses.Add(all);
            slowest.Add(each.Max());
            campaign.Tries++;
        }
        campaign.End(FormattableString.Invariant(
            $"{saves} saves of {Processes} processes acknowledged; at the kill none for {pauses.Order().ElementAt(pauses.Count / 2):0.0} s, at most {pauses.Max():0.0} s; of the slowest process {slowest.Order().ElementAt(slowest.Count / 2):0.0} s, at most {slowest.Max():0.0} s"));
    }
}
