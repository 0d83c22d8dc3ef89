using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>The power goes at any moment, and leaves any state of the disk that it may: what was acknowledged is there, and what is there is whole.</summary>
[Trait("Category", "Campaign")]
public class PowerLossCampaign(ITestOutputHelper output)
{
    // After so many outcomes in a row that were tried before, few are left.
    private const int Dry = 1000;

    [UnixFact]
    public async Task Every_outcome_is_the_old_or_the_new_and_the_new_once_that_was_acknowledged()
    {
        var campaign = new Campaign("Power loss", output);
        var wanted = Campaign.IsLong ? 1100 : 130;
        var (cuts, distinct) = (0, new HashSet<UInt128>());
        foreach (var scenario in StoreScenarios.All)
        {
            var disk = await scenario.RecordAsync();
            var seen = new HashSet<UInt128>();
            cuts += Moments(disk).Count;
            await foreach (var finding in TryAsync(scenario, disk, -1, wanted, true, campaign, seen))
                campaign.Findings.Add(finding);
            output.WriteLine($"{scenario.Name}: {disk.Events.Count} events, {seen.Count} states");
            distinct.UnionWith(seen);
        }
        Assert.True(distinct.Count >= (Campaign.IsLong ? 10_000 : 1000), $"only {distinct.Count} states");
        campaign.End($"{StoreScenarios.All.Length} scenarios, {cuts} moments, {distinct.Count} distinct states of the disk");
    }

    [UnixFact]
    public async Task Without_any_one_flush_something_is_lost()
    {
        var campaign = new Campaign("Power loss without a flush", output);
        var (flushes, spare) = (0, 0);
        foreach (var scenario in StoreScenarios.All)
        {
            var disk = await scenario.RecordAsync();
            for (var i = 0; i < disk.Events.Count; i++)
            {
                if (disk.Events[i] is not DiskEvent.Flush flush)
                    continue;
                flushes++;
                var isFound = false;
                await foreach (var _ in TryAsync(scenario, disk, i, Campaign.IsLong ? 2000 : 150, false, campaign, []))
                {
                    isFound = true;
                    break;
                }
                if (isFound)
                    continue;
                spare++;
                var line = $"{scenario.Name}: nothing is lost without the flush of {flush.Path}, event {i}";
                output.WriteLine(line);
                if (!scenario.Spare.Contains(flush.Path))
                    campaign.Findings.Add(line);
            }
        }
        campaign.End($"{flushes} flushes left out in turn, of which {flushes - spare} are missed and {spare} are explained");
    }

    private static async IAsyncEnumerable<string> TryAsync(StoreScenario scenario, DiskRecorder disk, int ignored, int wanted, bool goOn, Campaign campaign, HashSet<UInt128> seen)
    {
        using var temp = new TempFolder();
        // The same state may be legal before an acknowledgement, and not after it.
        var tried = new HashSet<(UInt128, int)>();
        var (dry, number) = (0, 0);
        foreach (var (cut, image) in Outcomes([.. Moments(disk).Where(m => m > ignored).Select(m => new PowerCut(disk, m, ignored))], campaign.Random))
        {
            if (seen.Count >= wanted || dry >= Dry)
                yield break;
            var hash = cut.Hash(image);
            seen.Add(hash);
            if (!tried.Add((hash, cut.Acknowledged)))
            {
                dry++;
                continue;
            }
            dry = 0;
            campaign.Tries++;
            var folder = Path.Join(temp.Path, $"{++number}");
            cut.Materialise(image, folder);
            if (await FaultAsync(scenario, folder, cut, goOn) is { } fault)
                yield return $"{scenario.Name}, power lost before event {cut.Moment}, {cut.Acknowledged} acknowledged: {fault}";
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string?> FaultAsync(StoreScenario scenario, string folder, PowerCut cut, bool goOn)
    {
        try
        {
            var seen = await scenario.Look(new StoreRig(folder));
            if (!scenario.IsLegal(seen, cut.Acknowledged))
                return $"'{seen}' is there, and not '{scenario.Legal(cut.Acknowledged)}'";
            if (goOn)
                await scenario.GoOn(new StoreRig(folder));
            return null;
        }
        catch (Exception e)
        {
            return e.ToString();
        }
    }

    // What is not durable only grows until a flush, so between two flushes the last moment has the outcomes of all before it.
    private static List<int> Moments(DiskRecorder disk) =>
        [.. Enumerable.Range(0, disk.Events.Count + 1).Where(i => i == disk.Events.Count || disk.Events[i] is DiskEvent.Flush or DiskEvent.Acknowledged)];

    // First, in any order, all whole outcomes of moments that have few; then any, without end.
    private static IEnumerable<(PowerCut Cut, DiskImage Image)> Outcomes(PowerCut[] cuts, Random random)
    {
        var whole = cuts.Where(cut => cut.Whole <= 1000).SelectMany(cut => Enumerable.Range(0, cut.Whole).Select(number => (cut, number))).ToArray();
        random.Shuffle(whole);
        foreach (var (cut, number) in whole)
            yield return (cut, cut.Outcome(number));
        while (true)
        {
            var cut = cuts[random.Next(cuts.Length)];
            yield return (cut, cut.Outcome(random));
        }
    }
}
