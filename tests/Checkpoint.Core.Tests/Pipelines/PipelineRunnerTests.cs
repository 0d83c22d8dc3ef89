namespace Checkpoint.Tests;

/// <summary>Progress is kept over any number of failures; what is done is not done again, and what no longer holds is.</summary>
public sealed class PipelineRunnerTests : PipelineTest
{
    [Fact]
    public async Task Every_stage_runs_once_in_its_order_and_the_run_is_complete()
    {
        var result = await Run("a b:a c:b");
        Assert.Equal("Completed: a Completed, b Completed, c Completed", Show(result));
        Assert.Equal("a b c", Ran());
        var run = Assert.Single(await Runs());
        Assert.Equal((RunStatus.Completed, 1, result.Run), (run.Status, run.Attempts, run.Run));
        Assert.Equal(Environment.ProcessId, run.ProcessId);
        Assert.NotNull(run.EndedAt);
        Assert.Null(run.LastError);
    }

    [Fact]
    public async Task A_finished_run_is_not_resumed_a_new_one_starts()
    {
        var first = await Run("a b:a");
        var second = await Run("a b:a");
        Assert.NotEqual(first.Run, second.Run);
        Assert.Equal("a b a b", Ran());
        Assert.Equal(2, (await Runs()).Count);
    }

    [Fact]
    public async Task Fail_at_b_resume_fail_at_c_resume_and_c_alone_runs()
    {
        Failing.Add("b");
        var first = await Run("a b:a c:b d:c");
        Assert.Equal("Failed: a Completed, b Failed, c NotRun, d NotRun", Show(first));
        Assert.Equal("b broke", (await Runs()).Single().LastError);
        Failing.Clear();
        Failing.Add("c");
        Assert.Equal("Failed: a Skipped, b Completed, c Failed, d NotRun", Show(await Run("a b:a c:b d:c")));
        Failing.Clear();
        var last = await Run("a b:a c:b d:c");
        Assert.Equal("Completed: a Skipped, b Skipped, c Completed, d Completed", Show(last));
        Assert.Equal("a b b c c d", Ran());
        Assert.Equal(first.Run, last.Run);
        var run = Assert.Single(await Runs());
        Assert.Equal((3, RunStatus.Completed), (run.Attempts, run.Status));
        Assert.Equal(["Completed", "Completed", "Completed", "Completed"], run.Stages.Select(s => s.Status.ToString()));
    }

    [Fact]
    public async Task A_named_run_with_nothing_left_to_do_succeeds_and_keeps_its_record()
    {
        await Run("a b:a", r => r with { Run = "7" });
        var before = Assert.Single(await Runs());
        Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal("Completed: a Skipped, b Skipped", Show(await Run("a b:a", r => r with { Run = "7" })));
        var after = Assert.Single(await Runs());
        Assert.Equal((before.EndedAt, before.Attempts, before.StartedAt), (after.EndedAt, after.Attempts, after.StartedAt));
        Assert.Equal("a b", Ran());
    }

    [Fact]
    public async Task A_changed_stage_runs_again_with_all_that_depend_on_it_and_no_other()
    {
        Failing.Add("e");
        await Run("a b:a c:b x e:c,x");
        Failing.Clear();
        Scripts["b"] = "another script";
        Assert.Equal("Completed: a Skipped, b Completed, c Completed, x Skipped, e Completed", Show(await Run("a b:a c:b x e:c,x")));
        Assert.Equal("a b c x e b c e", Ran());
    }

    [Fact]
    public async Task Repairing_the_stage_that_failed_redoes_nothing()
    {
        Failing.Add("b");
        await Run("a b:a");
        Failing.Clear();
        Scripts["b"] = "repaired";
        Assert.Equal("Completed: a Skipped, b Completed", Show(await Run("a b:a")));
    }

    [Fact]
    public async Task A_stage_that_was_made_anew_though_its_result_is_the_same_invalidates_its_dependents_even_when_killed_in_between()
    {
        Failing.Add("z");
        await Run("a b:a z:b");
        // Another process, killed as soon as a was made anew.
        var id = (await Runs()).Single().Run;
        var info = (await Store.FindAsync(new StageId("p", id, "a"), default))!.Newest.Info!;
        await Store.SaveAsync(new CheckpointDraft { Stage = info.StageId, Fingerprint = info.Fingerprint, State = TestState.Small("a"), SavedAt = Noon }, default);
        Failing.Clear();
        Assert.Equal("Completed: a Skipped, b Completed, z Completed", Show(await Run("a b:a z:b")));
    }

    [Fact]
    public async Task Fail_fast_stops_at_the_first_failure()
    {
        Failing.Add("a");
        var result = await Run("a b c:a");
        Assert.Equal("Failed: a Failed, b NotRun, c NotRun", Show(result));
        Assert.Equal("the run stopped when 'a' failed", result.Stages[1].Reason);
    }

    [Fact]
    public async Task To_continue_on_errors_means_with_what_does_not_depend_on_the_failure()
    {
        Failing.Add("a");
        var result = await Run("a b c:a d:c,b e:b", r => r with { ContinueOnError = true });
        Assert.Equal("Partial: a Failed, b Completed, c NotRun, d NotRun, e Completed", Show(result));
        Assert.Equal("it depends on 'a', which failed", result.Stages[2].Reason);
        Assert.Equal("it depends on 'c', which did not run", result.Stages[3].Reason);
        Failing.Clear();
        Assert.Equal("Completed: a Completed, b Skipped, c Completed, d Completed, e Skipped", Show(await Run("a b c:a d:c,b e:b", r => r with { ContinueOnError = true })));
    }

    [Fact]
    public async Task Where_nothing_but_failures_came_of_it_the_run_failed()
    {
        Failing.UnionWith(["a", "b"]);
        Assert.Equal("Failed: a Failed, b Failed", Show(await Run("a b", r => r with { ContinueOnError = true })));
    }

    [Fact]
    public async Task Disabled_stages_are_skipped_with_those_that_depend_on_them()
    {
        Disabled.Add("b");
        var result = await Run("a b:a c:b d");
        Assert.Equal("Completed: a Completed, b Disabled, c Disabled, d Completed", Show(result));
        Assert.Equal("it depends on 'b', which is disabled", result.Stages[2].Reason);
        Assert.Equal("a d", Ran());
    }

    [Fact]
    public async Task Restart_starts_a_new_run_though_one_is_unfinished()
    {
        Failing.Add("b");
        var first = await Run("a b");
        Failing.Clear();
        var second = await Run("a b", r => r with { Restart = true });
        Assert.NotEqual(first.Run, second.Run);
        Assert.Equal("a b a b", Ran());
        // The newest is finished: what was abandoned stays so, unless somebody asks for it.
        Assert.NotEqual(first.Run, (await Run("a b")).Run);
        Assert.Equal(first.Run, (await Run("a b", r => r with { Resume = true })).Run);
    }

    [Fact]
    public async Task Restart_of_a_named_run_does_all_again_and_is_resumed_as_such()
    {
        await Run("a b", r => r with { Run = "7" });
        Failing.Add("b");
        Assert.Equal("Failed: a Completed, b Failed", Show(await Run("a b", r => r with { Run = "7", Restart = true })));
        Failing.Clear();
        Assert.Equal("Completed: a Skipped, b Completed", Show(await Run("a b", r => r with { Run = "7" })));
        Assert.Equal("a b a b b", Ran());
    }

    [Fact]
    public async Task From_runs_that_stage_and_all_that_depend_on_it_again()
    {
        await Run("a b:a c:b x");
        Assert.Equal("Completed: a Skipped, b Completed, c Completed, x Skipped", Show(await Run("a b:a c:b x", r => r with { From = "B" })));
        Assert.Single(await Runs());
    }

    [Fact]
    public async Task From_is_not_forgotten_when_it_fails()
    {
        await Run("a b:a c:b");
        Failing.Add("b");
        Assert.Equal("Failed: a Skipped, b Failed, c NotRun", Show(await Run("a b:a c:b", r => r with { From = "b" })));
        Failing.Clear();
        Assert.Equal("Completed: a Skipped, b Completed, c Completed", Show(await Run("a b:a c:b")));
    }

    [Fact]
    public async Task From_makes_a_finished_run_unfinished_before_anything_of_it_is_cleared_for_it_may_be_killed_then()
    {
        await Run("a b:a");
        var status = new List<RunStatus>();
        var store = new DelegatingStore(Store) { BeforeRemove = async () => status.Add(Assert.Single(await Runs()).Status) };
        Time.Advance(TimeSpan.FromSeconds(1));
        await new PipelineRunner(new CheckpointEngine(store, Time), this, Time).RunAsync(Request("a b:a") with { From = "b" }, default);
        Assert.Equal([RunStatus.Running], status);
    }

    [Fact]
    public async Task A_run_that_is_killed_when_it_was_resumed_tells_what_was_done_before()
    {
        Failing.Add("c");
        await Run("a b:a c");
        Failing.Clear();
        var told = "";
        OnRun = _ => told = Tell().GetAwaiter().GetResult();
        await Run("a b:a c");
        Assert.Equal("Running: a Completed, b Completed", told);

        // As it lies in the store, were the process killed now.
        async Task<string> Tell()
        {
            var run = Assert.Single(await Runs());
            return $"{run.Status}: {string.Join(", ", run.Stages.Select(s => $"{s.Name} {s.Status}"))}";
        }
    }

    [Fact]
    public async Task Resume_insists_on_an_unfinished_run()
    {
        Assert.Equal(CheckpointErrorKind.RunNotFound, (await Fails("a", r => r with { Resume = true })).Kind);
        await Run("a");
        Assert.Equal(CheckpointErrorKind.RunNotFound, (await Fails("a", r => r with { Resume = true })).Kind);
        Assert.Equal(CheckpointErrorKind.RunNotFound, (await Fails("a", r => r with { Resume = true, Run = "7" })).Kind);
        Assert.Equal(CheckpointErrorKind.RunNotFound, (await Fails("a", r => r with { From = "a", Run = "7" })).Kind);
        Assert.Equal("a", Ran());
    }

    [Fact]
    public async Task A_run_that_keeps_failing_is_parked_until_a_person_says_so()
    {
        Failing.Add("b");
        for (var i = 0; i < 2; i++)
            await Run("a b", r => r with { MaxAttempts = 2 });
        var error = await Fails("a b", r => r with { MaxAttempts = 2 });
        Assert.Equal(CheckpointErrorKind.StageFailed, error.Kind);
        Assert.Contains("started 2 times without success, the last error being: b broke", error.Message, StringComparison.Ordinal);
        Assert.Equal("a b b", Ran());
        Failing.Clear();
        Assert.Equal("Completed: a Skipped, b Completed", Show(await Run("a b", r => r with { MaxAttempts = 2, Resume = true })));
    }

    [Theory]
    [InlineData(ConfigChange.NewRun)]
    [InlineData(ConfigChange.Error)]
    [InlineData(ConfigChange.Ignore)]
    public async Task A_changed_configuration_is_noticed(ConfigChange onChange)
    {
        Failing.Add("b");
        var first = await Run("a b", r => r with { Config = Config("url", "one") });
        Failing.Clear();
        PipelineRequest Changed(PipelineRequest r) => r with { Config = Config("url", "two"), OnConfigChange = onChange };
        if (onChange == ConfigChange.Error)
        {
            var error = await Fails("a b", Changed);
            Assert.Equal(CheckpointErrorKind.FingerprintMismatch, error.Kind);
            Assert.Contains($"Run '{first.Run}' of pipeline 'p'", error.Message, StringComparison.Ordinal);
            Assert.Contains("another configuration: url.", error.Message, StringComparison.Ordinal);
            Assert.Equal("a b", Ran());
            return;
        }
        var second = await Run("a b", Changed);
        Assert.Equal(onChange == ConfigChange.Ignore, second.Run == first.Run);
        Assert.Equal(onChange == ConfigChange.Ignore ? "a b b" : "a b a b", Ran());
        if (onChange == ConfigChange.NewRun)
            Assert.Contains("url. A new run is started.", Assert.Single(Warnings), StringComparison.Ordinal);
        else
            Assert.Empty(Warnings);
    }

    [Fact]
    public async Task A_named_run_whose_configuration_changed_is_started_anew()
    {
        await Run("a b", r => r with { Run = "7", Config = Config("url", "one") });
        Assert.Equal("Completed: a Completed, b Completed", Show(await Run("a b", r => r with { Run = "7", Config = Config("url", "two") })));
        Assert.Single(Warnings);
        Assert.Equal("Completed: a Skipped, b Skipped", Show(await Run("a b", r => r with { Run = "7", Config = Config("url", "two") })));
    }

    [Fact]
    public async Task A_run_that_is_stopped_is_interrupted_and_goes_on_where_it_was()
    {
        using var source = new CancellationTokenSource();
        OnRun = name =>
        {
            if (name == "b")
                source.Cancel();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Execute("a b c", r => r, source.Token));
        var run = Assert.Single(await Runs());
        Assert.Equal(RunStatus.Interrupted, run.Status);
        Assert.Equal(["Completed", "NotRun", "NotRun"], run.Stages.Select(s => s.Status.ToString()));
        OnRun = null;
        Assert.Equal("Completed: a Skipped, b Completed, c Completed", Show(await Run("a b c")));
    }

    [Fact]
    public async Task A_run_whose_process_died_is_interrupted_and_not_for_ever_in_progress()
    {
        Failing.Add("b");
        var result = await Run("a b");
        var run = Assert.Single(await Runs());
        await Store.WriteRunAsync(run with { Status = RunStatus.Running, EndedAt = null }, default);
        Assert.Equal(RunStatus.Interrupted, Assert.Single(await Runs()).Status);
        Failing.Clear();
        Assert.Equal(result.Run, (await Run("a b")).Run);
    }

    [Fact]
    public async Task A_run_that_is_at_work_is_running_and_nobody_else_starts_it()
    {
        var other = new PipelineRunner(new CheckpointEngine(new FolderStore(Root), Time), this, Time);
        CheckpointException? held = null;
        OnRun = _ =>
        {
            Assert.Equal(RunStatus.Running, Assert.Single(Runs().GetAwaiter().GetResult()).Status);
            held = Assert.Throws<CheckpointException>(() => other.RunAsync(Request("a"), default).AsTask().GetAwaiter().GetResult());
        };
        await Run("a");
        Assert.Equal(CheckpointErrorKind.LeaseHeld, held!.Kind);
        Assert.Contains($"process {Environment.ProcessId} of {Environment.UserName} on {Environment.MachineName}, since 2026-03-01 12:00:00Z", held.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_waits_for_a_busy_run_then_finds_it_done()
    {
        Time.WaitsAreShort = true;
        var other = new PipelineRunner(new CheckpointEngine(new FolderStore(Root), Time), this, Time);
        Task<(PipelineResult Result, Exception? Error)>? waiting = null;
        OnRun = name =>
        {
            if (name != "a")
                return;
            waiting = Task.Run(async () => await other.RunAsync(Request("a b") with { WhenBusy = BusyRun.Wait }, default));
            Assert.True(SpinWait.SpinUntil(() => Time.Waits.Count > 0, TimeSpan.FromSeconds(30)), "the other does not wait");
        };
        var first = await Run("a b");
        var second = (await waiting!).Result;
        Assert.Equal(first.Run, second.Run);
        Assert.Equal("Completed: a Skipped, b Skipped", Show(second));
        Assert.Equal("a b", Ran());
    }

    [Fact]
    public async Task Who_waits_is_told_once_why_and_for_whom()
    {
        Time.WaitsAreShort = true;
        var other = new PipelineRunner(new CheckpointEngine(new FolderStore(Root), Time), this, Time);
        PipelineRequest Named(PipelineRequest r, string url) => r with { Run = "7", Config = Config("url", url) };
        Task<(PipelineResult Result, Exception? Error)>? waiting = null;
        OnRun = _ =>
        {
            OnRun = null;
            waiting = Task.Run(async () => await other.RunAsync(Named(Request("a"), "two") with { WhenBusy = BusyRun.Wait }, default));
            Assert.True(SpinWait.SpinUntil(() => Time.Waits.Count > 2, TimeSpan.FromSeconds(30)), "the other does not wait");
        };
        await Run("a", r => Named(r, "one"));
        Assert.Equal("Completed: a Completed", Show((await waiting!).Result));
        Assert.Equal(2, Warnings.Count);
        Assert.Contains("started anew", Warnings[0], StringComparison.Ordinal);
        Assert.Contains($"at work on run '7' of pipeline 'p' in '{Root}': process {Environment.ProcessId} of ", Warnings[1], StringComparison.Ordinal);
        Assert.EndsWith(", since 2026-03-01 12:00:00Z. It is waited for.", Warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkpoint_that_cannot_be_written_fails_the_run()
    {
        OnRun = name =>
        {
            if (name == "b")
                Temp.Write($"store/p/runs/{RunIds()[0]}/stages/b", "in the way");
        };
        var error = await Fails("a b c", r => r);
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
        Assert.Equal("a b", Ran());
        Assert.Equal(RunStatus.Failed, Assert.Single(await Runs()).Status);
    }

    [Fact]
    public async Task Nothing_is_done_for_a_pipeline_that_is_none()
    {
        Assert.Equal(CheckpointErrorKind.InvalidPipeline, (await Fails("a b:x", r => r)).Kind);
        Assert.Empty(Temp.Files());
        Assert.Empty(Told);
    }

    [Fact]
    public async Task A_plan_says_what_would_run_and_why_and_runs_nothing()
    {
        Failing.Add("c");
        await Run("a b:a c:b d:c");
        var before = Temp.Files();
        Scripts["b"] = "another";
        Disabled.Add("e");
        var (_, plan) = await new PipelineRunner(Engine, this, Time).PlanAsync(Request("a b:a c:b d:c e f:e"), default);
        Assert.Equal(
            ["a Skip", "b Run: the fingerprint changed: script", "c Run: 'b' runs before it", "d Run: 'c' runs before it", "e: it is disabled", "f: it depends on 'e', which is disabled"],
            plan.Select(s => s.Decision is null ? $"{s.Stage.Name}: {s.Reason}" : s.Decision.Decision == StageDecision.Skip ? $"{s.Stage.Name} Skip" : $"{s.Stage.Name} Run: {s.Decision.Reason}"));
        Assert.Equal(before, Temp.Files());
    }

    [Fact]
    public async Task The_observer_is_told_in_order_and_nothing_of_stages_that_are_skipped()
    {
        Failing.Add("b");
        await Run("a b c:b");
        Told.Clear();
        Failing.Clear();
        await Run("a b c:b");
        Assert.Equal(["pipeline started (resumed)", "a ended Skipped", "b started 2/3", "b ended Completed", "c started 3/3", "c ended Completed", "pipeline ended Completed"], Told);
    }

    [Fact]
    public async Task A_stage_reads_the_checkpoints_of_those_before_it()
    {
        Assert.Equal("Completed: a Completed, b Completed, c Completed", Show(await Run("a b:a c:A,b")));
        Assert.Equal(["", "a step 1", "A step 1, b step 1"], Inputs);
    }

    [Fact]
    public async Task The_history_tells_of_runs_and_stages()
    {
        Failing.Add("b");
        await Run("a b");
        Failing.Clear();
        await Run("a b");
        var history = new List<string>();
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Any, default))
            history.Add($"{entry.Event} {entry.Name ?? "-"} {entry.Reason}".TrimEnd());
        Assert.Equal(
            [
                "LeaseTaken -", "RunStarted -", "StageStarted a there is no checkpoint", "Saved a", "StageCompleted a", "StageStarted b there is no checkpoint", "StageFailed b b broke", "RunFailed - b broke",
                "LeaseTaken -", "RunStarted - resumed, attempt 2", "StageSkipped a it completed at 2026-03-01 12:00:00Z", "StageStarted b there is no checkpoint", "Saved b", "StageCompleted b", "RunCompleted -",
            ],
            history);
    }
}
