using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>
/// Each operation of each scenario fails, once or from then on, in each way: the error is clear and of the right kind, what was there before is intact, nothing is left behind,
/// and the work goes on once the fault is gone.
/// </summary>
[Trait("Category", "Campaign")]
public class FailingDiskCampaign(ITestOutputHelper output)
{
    private static readonly Fault[] Faults = Enum.GetValues<Fault>();

    [Fact]
    public async Task Every_operation_fails_in_turn_and_nobody_loses_anything()
    {
        var campaign = new Campaign("Failing disk", output);
        var (operations, errors) = (0, 0);
        foreach (var scenario in StoreScenarios.All)
        {
            for (var (n, isOver) = (1, false); !isOver; n++)
            {
                operations++;
                // Until there is none left that any fault concerns.
                isOver = true;
                foreach (var (fault, isForGood) in Ways(campaign))
                {
                    FileOperation? failed = null;
                    try
                    {
                        var (error, operation) = await TryAsync(scenario, n, fault, isForGood, o => failed = o);
                        errors += error is null ? 0 : 1;
                        isOver &= operation is null;
                    }
                    catch (Exception e)
                    {
                        campaign.Findings.Add($"{scenario.Name}: {fault}, {(isForGood ? "for good" : "once")}, at operation {n}, {failed?.Verb} {failed?.Name}: {e}");
                    }
                    campaign.Tries++;
                }
            }
        }
        campaign.End($"{StoreScenarios.All.Length} scenarios, {operations} operations, {errors} errors told");
    }

    // In the short form each operation fails in one or two ways.
    private static IEnumerable<(Fault, bool)> Ways(Campaign campaign) => Campaign.IsLong ? Faults.SelectMany(fault => new[] { (fault, false), (fault, true) })
        : [(Faults[campaign.Random.Next(Faults.Length)], false), (campaign.Random.Next(2) == 0 ? Fault.InputOutput : Fault.AccessDenied, true)];

    private static async Task<(CheckpointException? Error, FileOperation? Failed)> TryAsync(StoreScenario scenario, int n, Fault fault, bool isForGood, Action<FileOperation> onFailure)
    {
        using var temp = new TempFolder();
        await scenario.Arrange(new StoreRig(temp.Path));
        var before = temp.Files();
        var rig = new StoreRig(temp.Path);
        var count = 0;
        FileOperation? failed = null;
        rig.Files.Before = operation =>
        {
            if (!operation.CanFail || operation.Path == rig.OutputPath || !Concerns(fault, operation) || !(++count == n || (isForGood && count > n)))
                return;
            onFailure(failed ??= operation);
            throw fault.Make();
        };
        CheckpointException? error = null;
        try
        {
            await scenario.Work(rig);
            rig.Acknowledge();
        }
        catch (CheckpointException e)
        {
            error = e;
            AssertSays(e, fault, rig.Root);
        }

        var seen = await scenario.Look(new StoreRig(temp.Path));
        Assert.True(scenario.IsLegal(seen, rig.Acknowledged), $"'{seen}' is there, and not '{scenario.Legal(rig.Acknowledged)}'; the error was: {error?.Message ?? "none"}");
        // What is full lets go; what cannot be reached does not.
        if (error is not null && failed!.IsDeletion == false && (!isForGood || fault is Fault.DiskFull or Fault.Quota))
            AssertTidy(temp.Files(), before);
        await scenario.GoOn(new StoreRig(temp.Path));
        return (error, failed);
    }

    // A disk without room still reads and removes, one that cannot be written still reads.
    private static bool Concerns(Fault fault, FileOperation operation) => fault switch
    {
        Fault.DiskFull or Fault.Quota => operation.Changes || operation.Verb is FileVerb.OpenLocked or FileVerb.OpenShared,
        Fault.ReadOnly => operation.Changes || operation.IsDeletion || operation.Verb is FileVerb.OpenLocked or FileVerb.OpenShared,
        _ => true,
    };

    private static void AssertSays(CheckpointException error, Fault fault, string root)
    {
        Assert.Equal(fault.Kind(), error.Kind);
        Assert.Contains("(injected)", error.Message, StringComparison.Ordinal);
        Assert.Contains(root, error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Target);
        Assert.NotNull(error.InnerException);
    }

    // What was there before may have to stay: a payload outlasts its record until that is surely gone.
    private static void AssertTidy(SortedDictionary<string, byte[]> files, SortedDictionary<string, byte[]> before)
    {
        var records = string.Concat(files.Where(f => f.Key.EndsWith(".json", StringComparison.Ordinal)).Select(f => System.Text.Encoding.UTF8.GetString(f.Value)));
        foreach (var path in files.Keys.Where(path => !before.ContainsKey(path)))
        {
            var name = Path.GetFileName(path);
            var kind = FolderLayout.Classify(name).Kind;
            Assert.False(kind == FolderEntryKind.Temporary || (kind == FolderEntryKind.Payload && !records.Contains(name, StringComparison.Ordinal)), $"'{path}' was left behind");
        }
    }
}
