namespace Checkpoint.Tests;

/// <summary>A circuit breaker opens after failures in a row, makes one trial at a time, closes after successes; what it knows lies in the store.</summary>
public sealed class CircuitBreakerTests : PipelineTest
{
    private readonly List<CircuitChange> _changes = [];
    private CircuitBreaker _breaker = new() { Name = "api", FailureThreshold = 3, SuccessThreshold = 2, OpenFor = TimeSpan.FromSeconds(60) };

    private string Document => Path.Join(Root, "p", "breakers", "api.json");

    [Fact]
    public void It_has_the_defaults_that_the_help_names()
    {
        var breaker = new CircuitBreaker();
        Assert.Equal(("default", 5, 2, TimeSpan.FromSeconds(60)), (breaker.Name, breaker.FailureThreshold, breaker.SuccessThreshold, breaker.OpenFor));
    }

    [Fact]
    public async Task Failures_in_a_row_open_it_at_the_threshold_and_not_before()
    {
        await Fail(2);
        Assert.Empty(_changes);
        await Fail(1);
        var change = Assert.Single(_changes);
        Assert.Equal(("api", CircuitState.Open, "3 calls in a row failed, the last with: down"), (change.Breaker, change.State, change.Reason));
    }

    [Fact]
    public async Task A_success_in_between_starts_the_count_anew()
    {
        await Fail(2);
        await Succeed();
        await Fail(2);
        Assert.Empty(_changes);
        await Fail(1);
        Assert.Single(_changes);
    }

    [Fact]
    public async Task While_it_is_open_a_call_fails_at_once_and_the_error_names_the_breaker_since_when_and_until_when()
    {
        await Fail(3);
        Time.Advance(TimeSpan.FromSeconds(59));
        var error = await Assert.ThrowsAsync<CircuitOpenException>(Enter);
        Assert.StartsWith("Circuit breaker 'api' of pipeline 'p' is open since 2026-03-01 12:00:00Z until 2026-03-01 12:01:00Z; the last failure was: down. ", error.Message, StringComparison.Ordinal);
        Assert.Contains("-Retry", error.Message, StringComparison.Ordinal);
        Assert.Single(_changes);
    }

    [Fact]
    public async Task Opened_by_a_clock_that_was_set_back_since_it_makes_a_trial_and_does_not_stay_open_until_that_time_comes_again()
    {
        await Fail(3);
        Time.Advance(-TimeSpan.FromDays(1));
        await Succeed();
        Assert.Equal([CircuitState.Open, CircuitState.HalfOpen], _changes.Select(c => c.State));
    }

    [Fact]
    public async Task When_it_was_open_long_enough_it_is_half_open_and_closes_after_enough_successes()
    {
        await Fail(3);
        Time.Advance(TimeSpan.FromSeconds(60));
        await Succeed();
        Assert.Equal([CircuitState.Open, CircuitState.HalfOpen], _changes.Select(c => c.State));
        await Succeed();
        Assert.Equal([CircuitState.Open, CircuitState.HalfOpen, CircuitState.Closed], _changes.Select(c => c.State));
        Assert.Equal("2 trials in a row succeeded", _changes[^1].Reason);
        await Fail(2);
        Assert.Equal(3, _changes.Count);
    }

    [Fact]
    public async Task A_failure_in_a_trial_opens_it_again_for_the_whole_time_and_successes_before_it_do_not_count()
    {
        await Fail(3);
        Time.Advance(TimeSpan.FromSeconds(60));
        await Succeed();
        await Fail(1);
        Assert.Equal((CircuitState.Open, "the trial failed: down"), (_changes[^1].State, _changes[^1].Reason));
        Time.Advance(TimeSpan.FromSeconds(59));
        await Assert.ThrowsAsync<CircuitOpenException>(Enter);
        Time.Advance(TimeSpan.FromSeconds(1));
        await Succeed();
        Assert.Equal(CircuitState.HalfOpen, _changes[^1].State);
    }

    [Fact]
    public async Task One_trial_is_made_at_a_time_also_by_two_processes()
    {
        await Fail(3);
        Time.Advance(TimeSpan.FromSeconds(60));
        using (var trial = await Enter())
        {
            var error = await Assert.ThrowsAsync<CircuitOpenException>(Enter);
            Assert.Contains($"half-open since 2026-03-01 12:01:00Z: another call is its trial (process {Environment.ProcessId} of ", error.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<CircuitOpenException>(async () => await Gate(Other()).EnterAsync(default));
            await trial.SucceededAsync(default);
        }
        using var second = await Gate(Other()).EnterAsync(default);
        await Assert.ThrowsAsync<CircuitOpenException>(Enter);
        await second.SucceededAsync(default);
        Assert.Equal(CircuitState.Closed, _changes[^1].State);
    }

    [Fact]
    public async Task Who_dies_in_a_trial_blocks_nobody()
    {
        await Fail(3);
        Time.Advance(TimeSpan.FromSeconds(60));
        // What is left of a dead process: the state, and a lock that the system took back.
        (await Enter()).Dispose();
        await Succeed();
        await Succeed();
        Assert.Equal([CircuitState.Open, CircuitState.HalfOpen, CircuitState.Closed], _changes.Select(c => c.State));
    }

    [Fact]
    public async Task Another_process_goes_on_with_its_count_and_its_state()
    {
        await Fail(2);
        Store = Other();
        await Fail(1);
        Assert.Single(_changes);
        Store = Other();
        await Assert.ThrowsAsync<CircuitOpenException>(Enter);
    }

    [Fact]
    public async Task Breakers_of_another_name_or_pipeline_have_a_state_of_their_own_and_case_does_not_count()
    {
        await Fail(3);
        (await Gate(Store, "q").EnterAsync(default)).Dispose();
        _breaker = new CircuitBreaker { Name = "API" };
        await Assert.ThrowsAsync<CircuitOpenException>(Enter);
        _breaker = new CircuitBreaker { Name = "mail" };
        await Succeed();
    }

    [Fact]
    public async Task A_call_that_neither_succeeded_nor_failed_does_not_count()
    {
        await Fail(2);
        (await Enter()).Dispose();
        await Fail(1);
        Assert.Single(_changes);
    }

    [Fact]
    public async Task A_call_that_began_before_a_change_says_nothing_about_what_is_in_force_when_it_ends()
    {
        using var slow = await Enter();
        await Fail(3);
        Time.Advance(TimeSpan.FromSeconds(60));
        await Succeed();
        await slow.FailedAsync("late", default);
        await Succeed();
        Assert.Equal(CircuitState.Closed, _changes[^1].State);
    }

    [Fact]
    public async Task Calls_of_many_threads_are_all_counted()
    {
        _breaker = new CircuitBreaker { Name = "api", FailureThreshold = 40 };
        Time.WaitsAreShort = true;
        var calls = new List<CircuitCall>();
        for (var i = 0; i < 40; i++)
            calls.Add(await Enter());
        await Task.WhenAll(calls.Select(call => Task.Run(async () => await call.FailedAsync("down", default))));
        Assert.Equal("40 calls in a row failed, the last with: down", Assert.Single(_changes).Reason);
    }

    [Fact]
    public async Task A_damaged_record_stops_no_work_is_told_and_is_replaced()
    {
        await Fail(3);
        File.WriteAllText(Document, File.ReadAllText(Document).Replace("open", "shut", StringComparison.Ordinal));
        await Succeed();
        Assert.Equal(CircuitState.Closed, _changes[^1].State);
        Assert.Contains("damaged (the record's checksum does not fit its content)", _changes[^1].Reason, StringComparison.Ordinal);
        await Succeed();
        Assert.Equal(2, _changes.Count);
    }

    [Fact]
    public async Task A_record_that_was_copied_from_another_pipeline_does_not_count()
    {
        await Fail(3);
        Directory.CreateDirectory(Path.Join(Root, "q", "breakers"));
        File.Copy(Document, Path.Join(Root, "q", "breakers", "api.json"));
        (await Gate(Store, "q").EnterAsync(default)).Dispose();
        Assert.Contains("it belongs to another one, 'api' of pipeline 'p'", _changes[^1].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_of_a_newer_version_is_a_clear_error()
    {
        await Fail(1);
        MakeNewer(Document);
        Assert.Equal(CheckpointErrorKind.FormatTooNew, (await Assert.ThrowsAsync<CheckpointException>(Enter)).Kind);
    }

    [Fact]
    public async Task A_state_that_cannot_be_kept_is_an_error()
    {
        Temp.Write("store/p/breakers", "a file in the folder's place");
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, (await Assert.ThrowsAsync<CheckpointException>(() => Fail(1))).Kind);
    }

    [Fact]
    public async Task Stages_share_it_a_retry_waits_for_it_and_the_observer_is_told()
    {
        Time.WaitsAreShort = true;
        Failing.Add("a");
        OnRun = name =>
        {
            if (Ran().Length > 5)
                Failing.Clear();
        };
        var retry = new RetryPolicy { Retry = 9, Delay = TimeSpan.FromSeconds(20), Backoff = 1 };
        var result = await Run("a b", r => r with { Stages = [.. r.Stages.Select(s => s with { Guard = _breaker, Retry = retry })] });
        Assert.Equal("Completed: a Completed, b Completed", Show(result));
        // Open for 60 s: of the attempts every 20 s two are not made, the next is the trial.
        Assert.Equal("a a a a b", Ran());
        Assert.Equal(6, result.Stages[0].Attempts);
        Assert.Equal(["a retried", "a retried", "a api Open", "a retried", "a retried", "a retried", "a api HalfOpen"], Told.SkipWhile(t => !t.EndsWith("retried", StringComparison.Ordinal)).Take(7));
        Assert.Equal(["b started 2/2", "b api Closed"], Told.SkipWhile(t => t[0] != 'b').Take(2));
    }

    [Fact]
    public async Task An_open_one_fails_the_stage_and_a_retry_of_other_types_does_not_apply()
    {
        await Fail(3);
        var retry = new RetryPolicy { Retry = 9, RetryOn = ["TimeoutException"] };
        var (result, error) = await Execute("a", r => r with { Stages = [.. r.Stages.Select(s => s with { Guard = _breaker, Retry = retry })] }, default);
        Assert.Equal("Failed: a Failed", Show(result));
        Assert.IsType<CircuitOpenException>(error);
        Assert.Equal(1, result.Stages[0].Attempts);
        Assert.True((retry with { RetryOn = ["CircuitOpenException"] }).Applies(error, 1));
        Assert.Equal("", Ran());
    }

    [Fact]
    public async Task Stopping_a_stage_is_no_failure_of_what_it_calls()
    {
        using var source = new CancellationTokenSource();
        _breaker = new CircuitBreaker { Name = "api", FailureThreshold = 1 };
        OnRun = _ => source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Execute("a", r => r with { Stages = [.. r.Stages.Select(s => s with { Guard = _breaker })] }, source.Token));
        Assert.DoesNotContain(Told, t => t.Contains("api", StringComparison.Ordinal));
        (await Enter()).Dispose();
    }

    // Another process: nothing but the folder is shared.
    private FolderStore Other() => new(Root, new TestFileSystem(), Time);

    private CircuitGate Gate(CheckpointStore store, string pipeline = "p") => new(_breaker, store, pipeline, Time, change =>
    {
        lock (_changes)
            _changes.Add(change);
    });

    private async Task<CircuitCall> Enter() => await Gate(Store).EnterAsync(default);

    private async Task Fail(int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var call = await Enter();
            await call.FailedAsync("down", default);
        }
    }

    private async Task Succeed()
    {
        using var call = await Enter();
        await call.SucceededAsync(default);
    }
}
