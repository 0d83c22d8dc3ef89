namespace Checkpoint.Tests;

public sealed class StoreCopyTests : EngineTest
{
    private static readonly StoreScope All = new();

    private readonly FolderStore _to;

    public StoreCopyTests() => _to = new FolderStore(Path.Join(Temp.Path, "to"));

    [Fact]
    public async Task A_step_that_a_newer_version_wrote_there_is_left_alone()
    {
        await Save(TestState.Small("ours"));
        var there = await _to.SaveAsync(Draft(TestState.Small("theirs")), default);
        MakeNewer(there.Location);
        var newer = await File.ReadAllBytesAsync(there.Location);

        var outcome = Assert.Single(await Copy(overwrite: true));

        Assert.Equal(CheckpointErrorKind.FormatTooNew, outcome.Fault?.Kind);
        Assert.Equal(newer, await File.ReadAllBytesAsync(there.Location));
    }

    [Fact]
    public async Task A_step_that_somebody_saves_there_meanwhile_is_told_and_the_rest_is_copied()
    {
        await Save(TestState.Small("ours"));
        await Save(TestState.Small("second"));
        var raced = false;
        var to = new DelegatingStore(_to)
        {
            BeforeSave = async () =>
            {
                if (!raced)
                    await _to.SaveAsync(Draft(TestState.Small("theirs"), step: 1), default);
                raced = true;
            },
        };

        var outcomes = await Copy(to: to);

        Assert.Equal([CheckpointErrorKind.CheckpointExists, null], outcomes.Select(o => o.Fault?.Kind));
        TestState.AssertEqual(TestState.Small("theirs"), await Restore(_to, 1));
        TestState.AssertEqual(TestState.Small("second"), await Restore(_to, 2));
    }

    [Fact]
    public async Task A_run_that_went_on_in_the_other_store_is_not_set_back()
    {
        var run = new CheckpointRun { Pipeline = "nightly", Run = "7", Status = RunStatus.Failed, StartedAt = Noon, SortsAt = Noon, EndedAt = Noon.AddHours(1), Attempts = 1 };
        await Store.WriteRunAsync(run, default);
        var copy = new StoreCopy(Store, _to);
        Assert.Equal(1, (await copy.RunsAsync(All, default)).Copied);
        await _to.WriteRunAsync(run with { Status = RunStatus.Completed, EndedAt = Noon.AddHours(2), Attempts = 2 }, default);

        Assert.Equal(0, (await copy.RunsAsync(All, default)).Copied);
        Assert.Equal(RunStatus.Completed, await Status());

        await Store.WriteRunAsync(run with { Status = RunStatus.Running, EndedAt = null, Attempts = 3 }, default);
        Assert.Equal(1, (await copy.RunsAsync(All, default)).Copied);
        Assert.Equal(RunStatus.Running, await Status());
    }

    [Fact]
    public async Task What_the_store_does_not_have_is_removed_from_its_mirror_and_nothing_else()
    {
        var other = new StageId(Stage.Pipeline, Stage.Run, "other");
        await Save(TestState.Large(1));
        await Save(TestState.Large(2));
        await Copy();
        await _to.SaveAsync(Draft(stage: other), default);
        await Store.RemoveAsync(Stage, [1], default);
        var copy = new StoreCopy(Store, _to);

        Assert.Equal(0, await Remove(copy, All, false));
        Assert.Equal(1, await Remove(copy, new StoreScope { Name = NamePattern.Of(Stage.Name) }));
        Assert.Equal([2L], (await _to.FindAsync(Stage, default))!.Steps);
        Assert.NotNull(await _to.FindAsync(other, default));
        Assert.Equal(1, await Remove(copy, All));
        Assert.Null(await _to.FindAsync(other, default));
    }

    [Fact]
    public async Task A_store_that_is_not_there_empties_no_mirror()
    {
        await _to.SaveAsync(Draft(), default);
        var error = await Assert.ThrowsAsync<CheckpointException>(() => Remove(new StoreCopy(Store, _to), All));
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
        Assert.NotNull(await _to.FindAsync(Stage, default));
    }

    [Fact]
    public async Task A_store_that_goes_away_while_its_mirror_is_cleared_takes_no_more_from_it()
    {
        var (first, second) = (new StageId(Stage.Pipeline, null, "a"), new StageId(Stage.Pipeline, null, "b"));
        await Save();
        foreach (var stage in new[] { first, second })
            await _to.SaveAsync(Draft(stage: stage), default);
        var error = await Assert.ThrowsAsync<CheckpointException>(() => Remove(new StoreCopy(Store, _to), All, onRemove: () => Directory.Move(Root, Root + "-unmounted")));
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
        Assert.NotNull(await _to.FindAsync(second, default));
    }

    private static async Task<int> Remove(StoreCopy copy, StoreScope scope, bool mayRemove = true, Action? onRemove = null)
    {
        var removed = 0;
        await foreach (var count in copy.RemoveOthersAsync(scope, (_, _) => mayRemove, default))
        {
            removed += count;
            onRemove?.Invoke();
        }
        return removed;
    }

    private async Task<RunStatus> Status()
    {
        await foreach (var reading in _to.ListRunsAsync(NamePattern.Any, NamePattern.Any, default))
            return reading.Run!.Status;
        throw new InvalidOperationException("there is no run");
    }

    private async Task<List<CopyOutcome>> Copy(bool overwrite = false, CheckpointStore? to = null)
    {
        var outcomes = new List<CopyOutcome>();
        await foreach (var outcome in new StoreCopy(Store, to ?? _to).CheckpointsAsync(All, null, _ => true, overwrite, null, default))
            outcomes.Add(outcome);
        return outcomes;
    }
}
