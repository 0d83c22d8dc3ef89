namespace Checkpoint.Tests;

/// <summary>Whose a run is, and how it ended, while other processes start, end and lose it at the same time.</summary>
public sealed class RunRegistryTests : PipelineTest
{
    [UnixFact]
    public async Task Who_lost_the_lease_stops_before_the_next_stage_says_who_has_it_and_leaves_the_record_to_the_other()
    {
        OnRun = name =>
        {
            if (name == "a")
                Usurp().GetAwaiter().GetResult();
        };
        var error = await Fails("a b", r => r with { Run = "7" });
        Assert.Equal(CheckpointErrorKind.LeaseLost, error.Kind);
        Assert.Contains("run '7' of pipeline 'p'", error.Message, StringComparison.Ordinal);
        Assert.Contains("process 99 of other on build8", error.Message, StringComparison.Ordinal);
        Assert.Equal("a", Ran());
        Assert.Equal("build8", Assert.Single(await Runs()).Host);
        Assert.Equal("pipeline ended Failed", Told[^1]);
        Assert.Empty(Warnings);
        var lost = Assert.Single(await History(CheckpointEvents.LeaseLost));
        Assert.Equal(("p", "7", null), (lost.Pipeline, lost.Run, lost.Name));
        Assert.StartsWith("it is that of process 99 of other on build8, since ", lost.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_ends_while_it_is_looked_at_is_not_called_interrupted()
    {
        await Run("a");
        var ended = Assert.Single(await Runs());
        await Store.WriteRunAsync(ended with { Status = RunStatus.Running, EndedAt = null }, default);
        var store = new DelegatingStore(Store) { BeforeFindLease = async () => await Store.WriteRunAsync(ended, default) };
        var found = new List<RunReading>();
        await foreach (var reading in new RunRegistry(store, Engine.History, Time).FindAsync(NamePattern.Any, NamePattern.Any, default))
            found.Add(reading);
        Assert.Equal(RunStatus.Completed, Assert.Single(found).Run!.Status);
    }

    [Fact]
    public async Task A_run_that_another_ends_between_the_look_and_the_lease_is_not_resumed()
    {
        await Run("a");
        var ended = Assert.Single(await Runs());
        await Store.WriteRunAsync(ended with { Status = RunStatus.Failed }, default);
        var store = new DelegatingStore(Store);
        store.BeforeLease = async lease =>
        {
            if (lease.Run is null)
                return;
            store.BeforeLease = null;
            await Store.WriteRunAsync(ended with { Attempts = 2, EndedAt = ended.EndedAt + TimeSpan.FromSeconds(1) }, default);
        };
        Time.Advance(TimeSpan.FromSeconds(1));
        var (result, _) = await new PipelineRunner(new CheckpointEngine(store, Time), this, Time).RunAsync(Request("a"), default);
        Assert.NotEqual(ended.Run, result.Run);
        Assert.Equal("Completed: a Completed", Show(result));
        Assert.Equal(2, (await Runs())[0].Attempts);
    }

    [Fact]
    public async Task Of_two_that_start_at_the_same_moment_the_second_finds_the_run_of_the_first()
    {
        var registry = new RunRegistry(Store, Engine.History, Time);
        var (first, lease, start) = await registry.OpenAsync(Request("a"), Warnings.Add, default);
        using var held = lease;
        Assert.Equal(RunStart.New, start);

        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await registry.OpenAsync(Request("a"), Warnings.Add, default));

        Assert.Equal((CheckpointErrorKind.LeaseHeld, first.Run), (error.Kind, error.Target));
        // Whoever looks sees from the first moment on who is at work.
        await foreach (var reading in registry.FindAsync(NamePattern.Any, NamePattern.Any, default))
            Assert.Equal((RunStatus.Running, 1, Environment.MachineName, Environment.UserName, Environment.ProcessId), (reading.Run!.Status, reading.Run.Attempts, reading.Run.Host, reading.Run.User, reading.Run.ProcessId));
    }

    [Fact]
    public async Task The_newest_unfinished_run_is_resumed_also_where_the_clock_was_set_back_since_the_one_before()
    {
        await Run("a b");
        Time.Advance(-TimeSpan.FromHours(3));
        Failing.Add("b");
        var failed = await Run("a b");
        Time.Advance(-TimeSpan.FromHours(3));
        Failing.Clear();
        Assert.Equal((failed.Run, "Completed: a Skipped, b Completed"), ((await Run("a b")) is var result ? result.Run : "", Show(result)));
        var runs = await Runs();
        Assert.Equal(failed.Run, runs[^1].Run);
        Assert.True(runs[^1].StartedAt < runs[0].StartedAt);
        Assert.NotEqual(failed.Run, (await Run("a b")).Run);
    }

    [Fact]
    public async Task Who_cannot_choose_a_run_because_another_stopped_in_its_choice_is_told_who_and_does_not_hang_for_ever()
    {
        Time.WaitsAreShort = true;
        var choosing = (await Store.TryLeaseAsync(new LeaseName("p", null, null), new LeaseHolder("build8", "other", 99, Time.GetUtcNow()), default)).Lease!;
        var store = new DelegatingStore(Store) { BeforeLease = _ => Task.Run(() => Time.Advance(TimeSpan.FromSeconds(6))) };
        var registry = new RunRegistry(store, Engine.History, Time);

        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await registry.OpenAsync(Request("a"), Warnings.Add, default));
        Assert.Equal(CheckpointErrorKind.LeaseHeld, error.Kind);
        Assert.Contains("at work on pipeline 'p'", error.Message, StringComparison.Ordinal);
        Assert.Contains("process 99 of other on build8", error.Message, StringComparison.Ordinal);
        Assert.Empty(Warnings);

        void Warn(string message)
        {
            Warnings.Add(message);
            choosing.Dispose();
        }
        using var lease = (await registry.OpenAsync(Request("a") with { WhenBusy = BusyRun.Wait }, Warn, default)).Lease;
        Assert.Contains("process 99 of other on build8", Assert.Single(Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_waits_for_a_run_does_not_keep_others_from_choosing_theirs()
    {
        Time.WaitsAreShort = true;
        using var busy = (await Store.TryLeaseAsync(new LeaseName("p", "7", null), new LeaseHolder("build8", "other", 99, Time.GetUtcNow()), default)).Lease;
        var choices = 0;
        var store = new DelegatingStore(Store) { BeforeLease = lease => Task.FromResult(lease.Run is null ? Interlocked.Increment(ref choices) : 0) };
        using var cancellation = new CancellationTokenSource();
        var waiting = Task.Run(async () => await new RunRegistry(store, Engine.History, Time).OpenAsync(Request("a") with { Run = "7", WhenBusy = BusyRun.Wait }, Warnings.Add, cancellation.Token));
        Assert.True(SpinWait.SpinUntil(() => Time.Waits.Count > 20, TimeSpan.FromSeconds(30)), "it does not wait");
        Assert.Equal(1, choices);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Theory]
    [InlineData(null, ConfigChange.NewRun, "a Skipped, b Completed")]
    [InlineData("changed", ConfigChange.NewRun, "a Completed, b Completed")]
    [InlineData("changed", ConfigChange.Ignore, "a Skipped, b Completed")]
    public async Task What_a_run_saved_is_not_believed_under_a_configuration_that_its_damaged_record_cannot_tell(string? config, ConfigChange onChange, string stages)
    {
        PipelineRequest Named(PipelineRequest request, string? value) => request with { Run = "7", Config = value is null ? null : Config("x", value), OnConfigChange = onChange };
        Failing.Add("b");
        await Run("a b", r => Named(r, config is null ? null : "first"));
        Failing.Clear();
        var record = Path.Join(Root, "p", "runs", "7", "run.json");
        await File.WriteAllBytesAsync(record, []);
        Assert.Equal("Completed: " + stages, Show(await Run("a b", r => Named(r, config))));
        Assert.Contains("is damaged", Warnings[0], StringComparison.Ordinal);
        Assert.Equal(stages.StartsWith("a Completed", StringComparison.Ordinal), Warnings.Any(w => w.Contains("-OnConfigChange Ignore", StringComparison.Ordinal)));
        Assert.Equal(1, Assert.Single(await Runs()).Attempts);
    }

    [UnixFact]
    public async Task A_record_that_cannot_be_read_is_told_beside_the_others_and_no_run_is_started_in_its_place()
    {
        await Run("a", r => r with { Run = "1" });
        await Run("a", r => r with { Run = "2" });
        var files = new TestFileSystem { Before = o => _ = o.Verb == FileVerb.OpenRead && o.Path.Contains("/1/run.json", StringComparison.Ordinal) ? throw Fault.AccessDenied.Make() : 0 };
        var store = new FolderStore(Root, files, Time);
        var readings = new List<RunReading>();
        await foreach (var reading in new RunRegistry(store, Engine.History, Time).FindAsync(NamePattern.Any, NamePattern.Any, default))
            readings.Add(reading);
        Assert.Equal(CheckpointErrorKind.StoreAccessDenied, readings[0].Fault!.Kind);
        Assert.Equal("2", readings[1].Run!.Run);
        var runner = new PipelineRunner(new CheckpointEngine(store, Time), this, Time);
        Assert.Equal(CheckpointErrorKind.StoreAccessDenied, (await Assert.ThrowsAsync<CheckpointException>(async () => await runner.RunAsync(Request("a"), default))).Kind);
    }

    [Fact]
    public async Task A_run_of_a_newer_version_is_a_clear_error_and_is_left_as_it_is()
    {
        await Run("a", r => r with { Run = "1" });
        var record = Path.Join(Root, "p", "runs", "1", "run.json");
        MakeNewer(record);
        var before = await File.ReadAllBytesAsync(record);
        Assert.Equal(CheckpointErrorKind.FormatTooNew, (await Fails("a", r => r with { Run = "1" })).Kind);
        Assert.Equal(CheckpointErrorKind.FormatTooNew, (await Fails("a", r => r)).Kind);
        Assert.Equal(before, await File.ReadAllBytesAsync(record));
        Assert.Equal("2", (await Run("a", r => r with { Run = "2" })).Run);
    }

    // Another process finds no lock file and so makes one of its own.
    private async Task Usurp()
    {
        File.Delete(Path.Join(Root, "p", "runs", "7", "run.lock"));
        var attempt = await new FolderStore(Root).TryLeaseAsync(new LeaseName("p", "7", null), new LeaseHolder("build8", "other", 99, Time.GetUtcNow()), default);
        Assert.NotNull(attempt.Lease);
        await Store.WriteRunAsync((await Runs()).Single() with { Host = "build8" }, default);
    }

    private async Task<List<CheckpointEvent>> History(string kind)
    {
        var events = new List<CheckpointEvent>();
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Any, default))
            events.Add(entry);
        return events.FindAll(e => e.Event == kind);
    }
}
