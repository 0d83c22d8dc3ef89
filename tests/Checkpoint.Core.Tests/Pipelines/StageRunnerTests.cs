namespace Checkpoint.Tests;

/// <summary>A stage runs once; from then on its saved result is given. Failures save nothing and are tried again as was said.</summary>
public sealed class StageRunnerTests : EngineTest
{
    private readonly List<int> _attempts = [];

    [Fact]
    public async Task It_runs_once_and_then_gives_what_was_saved()
    {
        var first = await Run(Work());
        Assert.Equal((StageStatus.Completed, 1, 1L), (first.Status, first.Attempts, first.Checkpoint!.Step));
        var second = await Run(Work() with { Decode = TestState.Read });
        Assert.Equal(StageStatus.Skipped, second.Status);
        TestState.AssertEqual(TestState.Small("result 1"), (TestState?)second.Restored);
        Assert.Equal([1], _attempts);
    }

    [Fact]
    public async Task Another_fingerprint_runs_it_again_and_says_which_part_changed()
    {
        await Run(Work());
        var again = await Run(Work("script", "other"));
        Assert.Equal(StageStatus.Completed, again.Status);
        Assert.Equal(DecisionCause.FingerprintChanged, again.Decision.Cause);
        Assert.Equal("script", Assert.Single(again.Decision.Changed).Part);
        Assert.Equal(2, again.Checkpoint!.Step);
    }

    [Fact]
    public async Task A_block_and_a_command_line_are_not_compared_with_each_other_but_what_was_named_is()
    {
        await Run(Work("script", "Get-Rows"));
        Assert.Equal(StageStatus.Skipped, (await Run(Work() with { Fingerprint = Command("get-rows") })).Status);
        Assert.Equal(DecisionCause.FingerprintChanged, (await Run(Work() with { Fingerprint = Command("get-rows", "year=2026") })).Decision.Cause);
        // That was saved by the command: now another command is another one, and a block is not.
        Assert.Equal(StageStatus.Completed, (await Run(Work() with { Fingerprint = Command("other", "year=2026") })).Status);
        var block = FingerprintHash.Combine(new Dictionary<string, byte[]> { ["script"] = FingerprintHash.Scalar("script", "x"), ["year"] = FingerprintHash.Value("2026") });
        Assert.Equal(StageStatus.Skipped, (await Run(Work() with { Fingerprint = block })).Status);

        static CheckpointFingerprint Command(string command, params string[] named) => TextFingerprint.OfCommand([command], named.Length == 0 ? [] : TextFingerprint.PartsOf(named, [], p => p, default));
    }

    [Fact]
    public async Task What_is_said_of_a_result_is_saved_beside_it()
    {
        var outcome = await Run(Work() with { Metadata = () => new(new Dictionary<string, object?> { ["rows"] = 5 }) });
        Assert.Equal(5, outcome.Checkpoint!.Metadata["rows"]);
    }

    [Fact]
    public async Task An_accepted_change_takes_the_saved_result_as_good_also_from_then_on()
    {
        await Run(Work() with { Run = (_, _) => TestState.Large(7) });
        var accepted = await Run(Work("script", "other") with { AcceptChange = true, Decode = TestState.Read });
        Assert.Equal(StageStatus.Skipped, accepted.Status);
        Assert.Contains("accepted", accepted.Decision.Reason, StringComparison.Ordinal);
        TestState.AssertEqual(TestState.Large(7), (TestState?)accepted.Restored);
        Assert.Equal(StageStatus.Skipped, (await Run(Work("script", "other"))).Status);
        Assert.Equal(StageStatus.Completed, (await Run(Work())).Status);
    }

    [Fact]
    public async Task With_nothing_saved_there_is_nothing_to_accept() => Assert.Equal(StageStatus.Completed, (await Run(Work() with { AcceptChange = true })).Status);

    [Fact]
    public async Task Force_runs_it_regardless()
    {
        await Run(Work());
        var forced = await Run(Work() with { Force = true });
        Assert.Equal((StageStatus.Completed, DecisionCause.Forced, 2L), (forced.Status, forced.Decision.Cause, forced.Checkpoint!.Step));
    }

    [Fact]
    public async Task A_result_that_is_damaged_is_made_anew_and_never_an_older_one_given()
    {
        await Run(Work("script", "old") with { Run = (_, _) => TestState.Large(1) });
        await Run(Work() with { Run = (_, _) => TestState.Large(2) });
        DamagePayload(2);
        var outcome = await Run(Work() with { Run = (_, _) => TestState.Large(3), Decode = TestState.Read });
        Assert.Equal((StageStatus.Completed, DecisionCause.Damaged), (outcome.Status, outcome.Decision.Cause));
        Assert.Single(outcome.Decision.Damage);
        TestState.AssertEqual(TestState.Large(3), await Restore());
    }

    [Fact]
    public async Task A_failure_saves_nothing_and_is_given_as_it_was_thrown()
    {
        var thrown = new InvalidOperationException("no");
        var outcome = await Run(Work() with { Run = (_, _) => throw thrown });
        Assert.Equal((StageStatus.Failed, 1), (outcome.Status, outcome.Attempts));
        Assert.Same(thrown, outcome.Error);
        Assert.Empty(await Steps());
    }

    [Fact]
    public async Task A_failure_is_tried_again_with_growing_pauses_and_none_behind_the_last()
    {
        Time.WaitsAreShort = true;
        var told = new List<(int, double)>();
        var work = Work() with
        {
            Run = Fail(99),
            Retry = new RetryPolicy { Retry = 3, Delay = TimeSpan.FromSeconds(2), Backoff = 3, MaxDelay = TimeSpan.FromSeconds(10) },
            OnRetry = (_, attempt, pause) => told.Add((attempt, pause.TotalSeconds)),
        };
        var outcome = await Run(work);
        Assert.Equal((StageStatus.Failed, 4), (outcome.Status, outcome.Attempts));
        Assert.Equal([1, 2, 3, 4], _attempts);
        Assert.Equal([2d, 6, 10], Time.Waits.Select(w => w.TotalSeconds));
        Assert.Equal([(1, 2d), (2, 6d), (3, 10d)], told);
        Assert.Equal(TimeSpan.FromSeconds(18), outcome.Duration);
    }

    [Fact]
    public async Task A_retry_that_succeeds_is_a_success()
    {
        Time.WaitsAreShort = true;
        var outcome = await Run(Work() with { Run = Fail(2), Retry = new RetryPolicy { Retry = 5 } });
        Assert.Equal((StageStatus.Completed, 3), (outcome.Status, outcome.Attempts));
        Assert.Equal(2, Time.Waits.Count);
        TestState.AssertEqual(TestState.Small("result 3"), await Restore());
    }

    [Fact]
    public async Task Other_errors_are_not_tried_again()
    {
        var outcome = await Run(Work() with { Run = Fail(99), Retry = new RetryPolicy { Retry = 5, RetryOn = ["TimeoutException"] } });
        Assert.Equal((StageStatus.Failed, 1), (outcome.Status, outcome.Attempts));
        Assert.Empty(Time.Waits);
    }

    [Fact]
    public async Task The_cause_decides_about_a_retry_and_not_its_wrapping()
    {
        Time.WaitsAreShort = true;
        var work = Work() with
        {
            Run = (_, _) => throw new InvalidOperationException("wrapped", new FormatException()),
            CauseOf = e => e.InnerException!,
            Retry = new RetryPolicy { Retry = 1, RetryOn = ["FormatException"] },
        };
        Assert.Equal(2, (await Run(work)).Attempts);
    }

    [Fact]
    public async Task What_takes_too_long_is_stopped_and_is_a_failure_that_can_be_tried_again()
    {
        var work = Work() with
        {
            Timeout = TimeSpan.FromSeconds(30),
            Retry = new RetryPolicy { Retry = 1, Delay = TimeSpan.Zero, RetryOn = ["TimeoutException"] },
            Run = (attempt, token) =>
            {
                _attempts.Add(attempt);
                Time.Advance(TimeSpan.FromSeconds(attempt == 1 ? 30 : 29));
                token.ThrowIfCancellationRequested();
                return TestState.Small("in time");
            },
        };
        var outcome = await Run(work);
        Assert.Equal((StageStatus.Completed, 2), (outcome.Status, outcome.Attempts));

        var late = await Run(work with { Stage = new StageId("nightly", null, "late"), Retry = RetryPolicy.None });
        Assert.Contains("took longer than 30 s.", Assert.IsType<TimeoutException>(late.Error).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancellation_stops_it_and_is_no_failure()
    {
        using var source = new CancellationTokenSource();
        var work = Work() with
        {
            Retry = new RetryPolicy { Retry = 9 },
            Run = (attempt, token) =>
            {
                _attempts.Add(attempt);
                source.Cancel();
                token.ThrowIfCancellationRequested();
                return TestState.Small("");
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await new StageRunner(Engine, Time).RunAsync(work, source.Token));
        Assert.Equal([1], _attempts);
        Assert.Empty(await Steps());
    }

    [Fact]
    public async Task Cancellation_ends_a_pause_between_attempts()
    {
        using var source = new CancellationTokenSource();
        var work = Work() with { Run = Fail(99), Retry = new RetryPolicy { Retry = 9 }, OnRetry = (_, _, _) => source.Cancel() };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await new StageRunner(Engine, Time).RunAsync(work, source.Token));
        Assert.Equal([1], _attempts);
    }

    [Fact]
    public async Task What_the_caller_leaves_by_his_own_wish_is_neither_saved_nor_tried_again()
    {
        var work = Work() with { Retry = new RetryPolicy { Retry = 9 }, Run = (_, _) => throw new FlowInterruptedException(new InvalidOperationException()) };
        await Assert.ThrowsAsync<FlowInterruptedException>(async () => await Run(work));
        Assert.Empty(await Steps());
    }

    [Fact]
    public async Task A_save_that_fails_is_an_error_and_the_work_is_not_done_again()
    {
        Temp.Write("store", "a file in the store's place");
        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await Run(Work() with { Retry = new RetryPolicy { Retry = 9 } }));
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
    }

    [Fact]
    public async Task The_history_tells_it_all()
    {
        Time.WaitsAreShort = true;
        await Run(Work() with { Run = Fail(1), Retry = new RetryPolicy { Retry = 1 } });
        await Run(Work());
        await Run(Work("script", "other") with { Run = Fail(99) });
        var history = new List<string>();
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Any, default))
            history.Add($"{entry.Event} {entry.Step}");
        Assert.Equal(["StageStarted ", "StageRetried ", "Saved 1", "StageCompleted 1", "StageSkipped 1", "StageStarted ", "StageFailed "], history);
    }

    [Fact]
    public async Task The_history_of_a_retry_tells_when_the_next_attempt_begins()
    {
        Time.WaitsAreShort = true;
        await Run(Work() with { Run = Fail(1), Retry = new RetryPolicy { Retry = 1, Delay = TimeSpan.FromMinutes(5) } });
        var history = new List<CheckpointEvent>();
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Any, default))
            history.Add(entry);
        var retry = history.Single(e => e.Event == CheckpointEvents.StageRetried);
        Assert.Equal(retry.Time + TimeSpan.FromMinutes(5), retry.Until);
        Assert.All(history.Where(e => e != retry), e => Assert.Null(e.Until));
    }

    private static CheckpointFingerprint Fingerprint(params string[] partsAndValues) =>
        FingerprintHash.Combine(partsAndValues.Chunk(2).ToDictionary(p => p[0], p => FingerprintHash.Scalar("string", p[1])));

    private StageWork Work(params string[] fingerprint) => new()
    {
        Stage = Stage,
        Fingerprint = Fingerprint(fingerprint.Length > 0 ? fingerprint : ["script", "one"]),
        Run = Fail(0),
    };

    private Func<int, CancellationToken, IStateSource> Fail(int times) => (attempt, _) =>
    {
        _attempts.Add(attempt);
        return attempt <= times ? throw new InvalidOperationException($"failure {attempt}") : TestState.Small($"result {attempt}");
    };

    private async Task<StageOutcome> Run(StageWork work) => await new StageRunner(Engine, Time).RunAsync(work, default);
}
