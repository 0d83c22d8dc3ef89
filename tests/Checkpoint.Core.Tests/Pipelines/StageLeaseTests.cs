namespace Checkpoint.Tests;

/// <summary>A stage that is done under its lease, and what becomes of it when that is lost.</summary>
public sealed class StageLeaseTests : StoreTest
{
    private readonly ManualTime _time = new();

    private string LeasePath => FolderLayout.LeasePath(Root, new LeaseName(Stage));

    [Fact]
    public async Task The_work_in_hand_is_stopped_when_the_lease_is_lost_and_its_result_is_not_saved()
    {
        using var stopped = new ManualResetEventSlim();
        var error = await Assert.ThrowsAsync<CheckpointException>(() => Run((_, cancellation) =>
        {
            using var told = cancellation.Register(stopped.Set);
            TakeOver();
            // It is renewed three times a minute, and finds then whose it is.
            _time.Advance(TimeSpan.FromSeconds(20));
            Assert.True(stopped.Wait(TimeSpan.FromSeconds(60), CancellationToken.None), "nobody was told");
            cancellation.ThrowIfCancellationRequested();
            return TestState.Small("late");
        }));

        Assert.Equal(CheckpointErrorKind.LeaseLost, error.Kind);
        Assert.Contains("process 7 of other on build8", error.Message, StringComparison.Ordinal);
        Assert.Empty(await Steps());
        Assert.Contains(CheckpointEvents.LeaseLost, await Events());
    }

    [Fact]
    public async Task Work_that_does_not_listen_saves_nothing_under_a_lease_that_is_lost()
    {
        var error = await Assert.ThrowsAsync<CheckpointException>(() => Run((_, _) =>
        {
            TakeOver();
            return TestState.Small("late");
        }));

        Assert.Equal(CheckpointErrorKind.LeaseLost, error.Kind);
        Assert.Empty(await Steps());
    }

    [Fact]
    public async Task Work_that_cancels_something_of_its_own_has_not_lost_its_lease()
    {
        await Assert.ThrowsAsync<TaskCanceledException>(() => Run((_, _) => throw new TaskCanceledException("a request took too long")));

        Assert.DoesNotContain(CheckpointEvents.LeaseLost, await Events());
    }

    private Task<StageOutcome> Run(Func<int, CancellationToken, IStateSource> work) => new StageLease(new CheckpointEngine(new FolderStore(Root, null, _time), _time), _time).RunAsync(
        new StageWork { Stage = Stage, Fingerprint = FingerprintHash.Combine(new Dictionary<string, byte[]> { ["work"] = new byte[32] }), Run = work }, BusyRun.Fail, _ => { }, default).AsTask();

    // As another host does it that takes the lease over.
    private void TakeOver()
    {
        var other = LeasePath + ".other";
        File.WriteAllBytes(other, FolderLeaseFile.Describe(new LeaseHolder("build8", "other", 7, Noon), long.MaxValue / 2, TimeSpan.FromMinutes(1)));
        File.Move(other, LeasePath, overwrite: true);
    }

    private async Task<List<string>> Events()
    {
        var events = new List<string>();
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Any, default))
            events.Add(entry.Event);
        return events;
    }
}
