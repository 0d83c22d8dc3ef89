namespace Checkpoint.Tests;

/// <summary>What the history and the record of a run keep of stages that did not do what they were to do.</summary>
public sealed class RunHistoryTests : PipelineTest
{
    [Fact]
    public async Task A_stage_that_did_not_run_is_there_with_the_reason()
    {
        Failing.Add("b");
        Disabled.Add("off");
        await Run("a b c:b off d:off e", r => r with { ContinueOnError = true });
        Assert.Equal(
            ["c it depends on 'b', which failed", "off it is disabled", "d it depends on 'off', which is disabled"],
            (await History()).Where(e => e.Event == CheckpointEvents.StageSkipped).Select(e => $"{e.Name} {e.Reason}"));
    }

    [Fact]
    public async Task A_stage_whose_result_cannot_be_saved_failed_and_all_are_told()
    {
        OnRun = name =>
        {
            if (name == "b")
                Temp.Write("store/p/runs/7/stages/b", "a file in the stage's place");
        };
        var error = await Fails("a b c", r => r with { Run = "7" });
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
        var run = Assert.Single(await Runs());
        Assert.Equal("Failed: a Completed, b Failed, c NotRun", $"{run.Status}: {string.Join(", ", run.Stages.Select(s => $"{s.Name} {s.Status}"))}");
        Assert.Equal((1, error.Message), (run.Stages[1].Attempts, run.Stages[1].Error));
        Assert.Equal(["b started 2/3", "b ended Failed", "pipeline ended Failed"], Told.TakeLast(3));
        Assert.Equal(["StageStarted b", "StageFailed b", "RunFailed "], (await History()).TakeLast(3).Select(e => $"{e.Event} {e.Name}"));
    }

    [Fact]
    public async Task A_message_of_megabytes_is_kept_cut_and_makes_nothing_unreadable()
    {
        // Of pairs of surrogates, none of which may be torn apart.
        var message = "!" + string.Concat(Enumerable.Repeat("\U0001F4A5", 5 << 20));
        OnRun = _ => throw new InvalidOperationException(message);
        var breaker = new CircuitBreaker { FailureThreshold = 1 };
        var result = await Run("a", r => r with { Stages = [.. r.Stages.Select(s => s with { Guard = breaker })] });
        Assert.Equal(message, result.Stages[0].Error);
        var run = Assert.Single(await Runs());
        var kept = message[..3999] + "…";
        Assert.Equal((kept, kept), (run.LastError, run.Stages[0].Error));
        Assert.Equal(kept, (await History()).Single(e => e.Event == CheckpointEvents.StageFailed).Reason);
        var open = await Run("a", r => r with { Stages = [.. r.Stages.Select(s => s with { Guard = breaker })] });
        Assert.Contains("is open", open.Stages[0].Error, StringComparison.Ordinal);
    }

    private async Task<List<CheckpointEvent>> History()
    {
        var events = new List<CheckpointEvent>();
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Any, default))
            events.Add(entry);
        return events;
    }
}
