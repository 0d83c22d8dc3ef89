namespace Checkpoint.Tests;

public sealed class ReplicatedStoreTests : EngineTest
{
    private static readonly StageId Other = new(Stage.Pipeline, Stage.Run, "other");

    private readonly TestFileSystem _files = new();
    private readonly TestFileSystem _replicaFiles = new();
    private readonly ManualTime _time = new();
    private readonly List<string> _warnings = [];
    private readonly FolderStore _replica;
    private readonly ReplicaQueue _queue;

    public ReplicatedStoreTests()
    {
        Store = new FolderStore(Root, _files);
        _replica = new FolderStore(Path.Join(Temp.Path, "replica"), _replicaFiles);
        _queue = new ReplicaQueue(Root, _replica.Location, _time);
    }

    [Fact]
    public async Task A_required_replica_has_the_save_when_it_returns_and_all_that_belongs_to_it()
    {
        await Begin();
        var store = Open(ReplicaMode.Required);
        foreach (var state in new[] { TestState.Small("a"), TestState.Large(1), TestState.Large(2, 5_000_000) })
        {
            var saved = await store.SaveAsync(Draft(state), default);
            TestState.AssertEqual(state, await Restore(_replica, saved.Step));
        }
        await store.SaveAsync(Draft(TestState.Large(3), step: 2, overwrite: true), default);
        TestState.AssertEqual(TestState.Large(3), await Restore(_replica, 2));

        await store.RemoveAsync(Stage, [3], default);
        Assert.Equal([2L, 1L], (await _replica.FindAsync(Stage, default))!.Steps);
        await store.RemoveAsync(Stage, null, default);
        Assert.Null(await _replica.FindAsync(Stage, default));

        await store.WriteRunAsync(Run("7"), default);
        await store.AppendHistoryAsync(Stage.Pipeline, [Event("Saved")], default);
        await store.WriteDocumentAsync(new DocumentName("breaker", Stage.Pipeline, "api"), "{}"u8.ToArray(), default);
        Assert.Equal("7", (await All(_replica.ListRunsAsync(NamePattern.Any, NamePattern.Any, default))).Single().Run!.Run);
        Assert.Equal("Saved", (await All(_replica.ReadHistoryAsync(NamePattern.Any, default))).Single().Event);
        Assert.NotNull(await _replica.ReadDocumentAsync(new DocumentName("breaker", Stage.Pipeline, "api"), default));
        Assert.Empty(_warnings);
    }

    [Fact]
    public async Task Where_a_required_replica_fails_the_save_is_an_error_that_says_how_to_go_on()
    {
        await Begin();
        Break(_replicaFiles);
        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await Open(ReplicaMode.Required).SaveAsync(Draft(TestState.Small("a")), default));
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
        Assert.Contains("'ingest'", error.Message, StringComparison.Ordinal);
        Assert.Contains($"Copy-Checkpoint -From '{Root}' -To '{_replica.Location}'", error.Message, StringComparison.Ordinal);
        TestState.AssertEqual(TestState.Small("a"), await Restore());
    }

    [Fact]
    public async Task A_replica_gets_what_is_saved_behind_the_work_in_its_order()
    {
        await Begin();
        using var gate = new ManualResetEventSlim();
        _replicaFiles.Before = _ => gate.Wait();
        var store = Open(ReplicaMode.Asynchronous);
        for (var i = 1; i <= 5; i++)
        {
            await store.SaveAsync(Draft(TestState.Small($"{i}")), default);
            await store.AppendHistoryAsync(Stage.Pipeline, [Event($"{i}")], default);
        }
        await store.RemoveAsync(Stage, [1, 2], default);
        Assert.Equal([5L, 4L, 3L], (await Store.FindAsync(Stage, default))!.Steps);

        gate.Set();
        Assert.Null(_queue.Finish(Patience));
        Assert.Equal([5L, 4L, 3L], (await _replica.FindAsync(Stage, default))!.Steps);
        Assert.Equal(["1", "2", "3", "4", "5"], (await All(_replica.ReadHistoryAsync(NamePattern.Any, default))).Select(e => e.Event));
    }

    [Fact]
    public async Task A_replica_that_was_away_gets_what_it_missed_when_it_is_back()
    {
        await Begin();
        Break(_replicaFiles);
        await Open(ReplicaMode.Asynchronous).SaveAsync(Draft(TestState.Small("a")), default);
        string? news = null;
        Until(() => (news = _queue.TakeNews()) is not null);
        Assert.Contains(_replica.Location, news, StringComparison.Ordinal);
        await Open(ReplicaMode.Asynchronous).SaveAsync(Draft(TestState.Small("b")), default);

        _replicaFiles.Before = null;
        Until(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(30));
            return _replica.FindAsync(Stage, default).AsTask().Result?.Steps.Count == 2;
        });
        Assert.Null(_queue.Finish(Patience));
        Assert.Null(_queue.TakeNews());
    }

    [Fact]
    public async Task What_a_replica_misses_for_good_is_told_with_the_command_that_brings_it()
    {
        await Begin();
        Break(_replicaFiles);
        var store = Open(ReplicaMode.Asynchronous);
        for (var i = 0; i < 3; i++)
            await store.SaveAsync(Draft(), default);
        var news = _queue.Finish(Patience);
        Assert.Contains("missed 3 changes", news, StringComparison.Ordinal);
        Assert.Contains($"Copy-Checkpoint -From '{Root}' -To '{_replica.Location}' -Mirror", news, StringComparison.Ordinal);

        // What comes later it gets again.
        _replicaFiles.Before = null;
        await store.SaveAsync(Draft(), default);
        Assert.Null(_queue.Finish(Patience));
        Assert.Equal([4L], (await _replica.FindAsync(Stage, default))!.Steps);
    }

    [Fact]
    public async Task Where_the_store_is_away_the_replica_is_read_with_one_warning()
    {
        await Open(ReplicaMode.Required).SaveAsync(Draft(TestState.Small("a")), default);
        await Open(ReplicaMode.Required).SaveAsync(Draft(TestState.Large(7), stage: Other), default);
        await Open(ReplicaMode.Required).WriteRunAsync(Run("7"), default);
        await Open(ReplicaMode.Required).AppendHistoryAsync(Stage.Pipeline, [Event("Saved")], default);
        Break(_files);

        async Task Check(Func<CheckpointEngine, Task> check)
        {
            await check(new CheckpointEngine(Open(ReplicaMode.Required), _time, fault => _warnings.Add(fault.Message)));
            Assert.Contains($"replica '{_replica.Location}' is read", Assert.Single(_warnings), StringComparison.Ordinal);
            _warnings.Clear();
        }

        await Check(async engine => Assert.Equal(StageDecision.Skip, (await engine.DecideAsync(Stage, null, null, null, default)).Decision));
        await Check(async engine => TestState.AssertEqual(TestState.Large(7), (await engine.RestoreAsync(Other, null, TestState.Read, null, default)).State));
        await Check(async engine => TestState.AssertEqual(TestState.Large(7), (await engine.RestoreAsync(Other, 1, TestState.Read, null, default)).State));
        await Check(async engine =>
        {
            var found = await All(engine.FindAsync(new StageQuery { Pipeline = NamePattern.Any }, null, true, default));
            Assert.Equal(["ingest", "other"], found.Select(r => r.Info!.Name));
            // What is piped on means the store, which is away, and not the replica alone.
            Assert.All(found, r => Assert.Equal(Root, r.Info!.Store));
        });
        await Check(async engine => Assert.Equal((RunStatus.Running, Root), await new RunRegistry(engine.Store, engine.History, _time).FindAsync(NamePattern.Any, NamePattern.Any, default).Select(r => (r.Run!.Status, r.Run.Store)).FirstAsync()));
        await Check(async engine => Assert.Equal("Saved", (await All(engine.Store.ReadHistoryAsync(NamePattern.Any, default))).Single().Event));
    }

    [Fact]
    public async Task Nothing_is_written_to_the_replica_where_the_store_is_away()
    {
        await Open(ReplicaMode.Required).SaveAsync(Draft(), default);
        Break(_files);
        foreach (var mode in Enum.GetValues<ReplicaMode>())
        {
            var store = Open(mode);
            Assert.NotNull(await store.FindAsync(Stage, default));
            foreach (var write in new Func<Task>[]
            {
                async () => await store.SaveAsync(Draft(), default), async () => await store.RemoveAsync(Stage, null, default), async () => await store.WriteRunAsync(Run("8"), default),
                async () => await store.TryLeaseAsync(new LeaseName(Stage), LeaseHolder.Self(_time), default), async () => await store.OpenItemsAsync(Stage, default),
            })
                Assert.Equal(CheckpointErrorKind.StoreUnavailable, (await Assert.ThrowsAsync<CheckpointException>(write)).Kind);
        }
        Assert.Null(_queue.Finish(Patience));
        Assert.Equal([1L], (await _replica.FindAsync(Stage, default))!.Steps);
        Assert.Empty(await All(_replica.ListRunsAsync(NamePattern.Any, NamePattern.Any, default)));
    }

    [Fact]
    public async Task A_store_that_is_gone_is_not_begun_anew_beside_its_replica()
    {
        await Open(ReplicaMode.Required).SaveAsync(Draft(TestState.Small("a")), default);
        var elsewhere = Root + "-unmounted";
        Directory.Move(Root, elsewhere);

        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await Open(ReplicaMode.Required).SaveAsync(Draft(TestState.Small("b")), default));
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
        Assert.False(Directory.Exists(Root));
        Assert.NotNull(await Open(ReplicaMode.Required).FindAsync(Stage, default));
        Assert.Single(_warnings);

        Directory.Move(elsewhere, Root);
        Assert.Equal(2, (await Open(ReplicaMode.Required).SaveAsync(Draft(), default)).Step);
    }

    [Fact]
    public async Task A_store_that_is_gone_is_not_begun_anew_by_the_history_of_what_failed_for_that()
    {
        await Open(ReplicaMode.Required).SaveAsync(Draft(), default);
        Directory.Move(Root, Root + "-unmounted");
        var store = Open(ReplicaMode.Required);
        foreach (var write in new Func<Task>[] { async () => await store.SaveAsync(Draft(), default), async () => await store.AppendHistoryAsync(Stage.Pipeline, [Event("StageFailed")], default) })
            Assert.Equal(CheckpointErrorKind.StoreUnavailable, (await Assert.ThrowsAsync<CheckpointException>(write)).Kind);
        Assert.False(Directory.Exists(Root));
    }

    [Fact]
    public async Task A_place_with_nothing_in_it_is_no_store_beside_a_replica_that_holds_something()
    {
        await Open(ReplicaMode.Required).SaveAsync(Draft(), default);
        Directory.Move(Root, Root + "-unmounted");
        Directory.CreateDirectory(Root);
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, (await Assert.ThrowsAsync<CheckpointException>(async () => await Open(ReplicaMode.Required).SaveAsync(Draft(), default))).Kind);
        Break(_replicaFiles);
        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await Open(ReplicaMode.Asynchronous).SaveAsync(Draft(), default));
        Assert.Contains("cannot be told", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Root));
    }

    [Fact]
    public async Task A_store_that_goes_away_takes_nothing_from_its_replica()
    {
        await Open(ReplicaMode.Required).SaveAsync(Draft(TestState.Small("old"), step: 1), default);
        using var gate = new ManualResetEventSlim();
        _replicaFiles.Before = _ => gate.Wait();
        await Open(ReplicaMode.Asynchronous).SaveAsync(Draft(stage: Other), default);
        await Open(ReplicaMode.Asynchronous).SaveAsync(Draft(TestState.Small("new"), step: 1, overwrite: true), default);
        await Open(ReplicaMode.Asynchronous).RemoveAsync(Stage, [7], default);
        Directory.Move(Root, Root + "-unmounted");
        gate.Set();
        Until(() => _queue.TakeNews() is not null);
        TestState.AssertEqual(TestState.Small("old"), await Restore(_replica, 1));

        Directory.Move(Root + "-unmounted", Root);
        Assert.Null(_queue.Finish(Patience));
        TestState.AssertEqual(TestState.Small("new"), await Restore(_replica, 1));
    }

    [Fact]
    public async Task A_required_replica_that_keeps_something_else_than_was_sent_has_no_save_acknowledged()
    {
        await Begin();
        var folder = FolderLayout.StagePath(_replica.Location, Stage);
        var replica = new DelegatingStore(_replica)
        {
            // A disk that lies, or somebody who writes there.
            BeforeRead = _ =>
            {
                foreach (var payload in Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.state") : [])
                    File.WriteAllBytes(payload, new byte[new FileInfo(payload).Length]);
                return Task.CompletedTask;
            },
        };
        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await new ReplicatedStore(Store, replica, ReplicaMode.Required, _queue, _time, _warnings.Add).SaveAsync(Draft(TestState.Large(1)), default));
        Assert.Contains("is not what was sent", error.Message, StringComparison.Ordinal);
        Assert.Contains(_replica.Location, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_may_be_sent_again_to_a_replica_is_not_saved_again_in_the_store()
    {
        await Begin();
        var sends = 0;
        var replica = new DelegatingStore(_replica)
        {
            BeforeSave = () =>
            {
                sends++;
                throw new CheckpointException(CheckpointErrorKind.StoreUnavailable, "cut off", null) { MayRepeat = true };
            },
        };
        var engine = new CheckpointEngine(new ReplicatedStore(Store, replica, ReplicaMode.Required, _queue, _time, _warnings.Add), Time);
        await Assert.ThrowsAsync<CheckpointException>(async () => await engine.SaveAsync(Draft(TestState.Large(1)), new RetentionPolicy(), default));
        Assert.Equal(1, sends);
        Assert.Equal([1L], (await Store.FindAsync(Stage, default))!.Steps);
    }

    [Fact]
    public async Task Who_has_the_right_to_work_by_the_store_goes_by_what_it_says()
    {
        await Begin();
        await Open(ReplicaMode.Required).SaveAsync(Draft(), default);
        Break(_files);
        var store = Open(ReplicaMode.Required);
        Assert.NotNull(await store.FindAsync(Stage, default));
        _files.Before = null;
        await Store.RemoveAsync(Stage, null, default);
        using var lease = (await store.TryLeaseAsync(new LeaseName(Stage), LeaseHolder.Self(_time), default)).Lease;
        Assert.NotNull(lease);
        Assert.Null(await store.FindAsync(Stage, default));
    }

    [Fact]
    public async Task What_the_replica_lists_means_the_store_also_where_that_comes_back_meanwhile()
    {
        await Open(ReplicaMode.Required).SaveAsync(Draft(), default);
        await Open(ReplicaMode.Required).SaveAsync(Draft(stage: Other), default);
        Break(_files);
        var store = Open(ReplicaMode.Required);
        var stores = new List<string>();
        await foreach (var listing in store.ListAsync(new StageQuery { Pipeline = NamePattern.Any }, default))
        {
            stores.Add(listing.Newest.Info!.Store);
            _files.Before = null;
            (await store.TryLeaseAsync(new LeaseName(Stage), LeaseHolder.Self(_time), default)).Lease!.Dispose();
        }
        Assert.Equal([Root, Root], stores);
    }

    [Fact]
    public async Task Where_both_are_away_the_error_names_both()
    {
        await Open(ReplicaMode.Required).SaveAsync(Draft(), default);
        Break(_files);
        Break(_replicaFiles);
        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await Open(ReplicaMode.Required).FindAsync(Stage, default));
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
        Assert.Contains(Root, error.Message, StringComparison.Ordinal);
        Assert.Contains(_replica.Location, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_takes_long_to_fail_is_not_asked_again_at_once()
    {
        await Open(ReplicaMode.Required).SaveAsync(Draft(), default);
        var asked = 0;
        _files.Before = _ =>
        {
            asked++;
            _time.Advance(TimeSpan.FromSeconds(2));
            throw new IOException("the network");
        };
        await Open(ReplicaMode.Required).FindAsync(Stage, default);
        var before = asked;
        await Open(ReplicaMode.Required).FindAsync(Stage, default);
        Assert.Equal((before, 2), (asked, _warnings.Count));

        _time.Advance(TimeSpan.FromSeconds(11));
        _files.Before = null;
        await Open(ReplicaMode.Required).FindAsync(Stage, default);
        Assert.Equal(2, _warnings.Count);
    }

    [Fact]
    public async Task What_is_damaged_in_the_store_stays_whole_in_the_replica()
    {
        var saved = await Open(ReplicaMode.Required).SaveAsync(Draft(TestState.Small("a")), default);
        await File.WriteAllTextAsync(saved.Location, "x");
        await new StepReplication(Store, _replica).ReplicateAsync(Stage, [1], default);
        TestState.AssertEqual(TestState.Small("a"), await Restore(_replica, 1));
    }

    [Fact]
    public async Task A_step_that_is_cleared_while_it_is_brought_to_the_replica_does_not_stay_there()
    {
        await Begin();
        await Save(TestState.Small("a"));
        var isCleared = false;
        var replica = new DelegatingStore(_replica)
        {
            BeforeSave = async () =>
            {
                if (!isCleared)
                    await Store.RemoveAsync(Stage, null, default);
                isCleared = true;
            },
        };
        await new StepReplication(Store, replica).ReplicateAsync(Stage, [1], default);
        Assert.Null(await _replica.FindAsync(Stage, default));
    }

    [Fact]
    public async Task A_step_that_is_saved_while_it_is_removed_from_the_replica_is_there_at_the_end()
    {
        await Begin();
        await _replica.SaveAsync(Draft(TestState.Small("old")), default);
        var replica = new DelegatingStore(_replica) { BeforeRemove = async () => await Save(TestState.Small("new"), step: 1, overwrite: true) };
        await new StepReplication(Store, replica).ReplicateAsync(Stage, null, default);
        TestState.AssertEqual(TestState.Small("new"), await Restore(_replica, 1));
    }

    [Fact]
    public async Task A_step_that_is_saved_while_all_is_removed_from_the_replica_is_there_at_the_end()
    {
        await _replica.SaveAsync(Draft(TestState.Small("old"), step: 8), default);
        var raced = false;
        var replica = new DelegatingStore(_replica)
        {
            BeforeRemove = async () =>
            {
                if (!raced)
                {
                    await Save(TestState.Small("new"), step: 1);
                    await _replica.SaveAsync(Draft(TestState.Small("new"), step: 1), default);
                }
                raced = true;
            },
        };
        await Begin();
        await new StepReplication(Store, replica).ReplicateAsync(Stage, null, default);
        Assert.Equal([1L], (await _replica.FindAsync(Stage, default))!.Steps);
    }

    [Fact]
    public async Task The_record_of_a_run_and_a_document_are_in_the_replica_as_the_store_has_them_in_the_end()
    {
        await Begin();
        var document = new DocumentName("breaker", Stage.Pipeline, "api");
        var store = Open(ReplicaMode.Asynchronous);
        var races = 0;
        // Another process goes on with both while they are brought: after they were read, and before they are written.
        _replicaFiles.Before = operation =>
        {
            if (operation.Verb is not (FileVerb.RenameOver or FileVerb.RenameNew) || races >= 4)
                return;
            races++;
            Store.WriteRunAsync(Run("7") with { Attempts = 10 + races }, default).AsTask().GetAwaiter().GetResult();
            Store.WriteDocumentAsync(document, System.Text.Encoding.UTF8.GetBytes($"{races}"), default).AsTask().GetAwaiter().GetResult();
        };
        await store.WriteRunAsync(Run("7"), default);
        await store.WriteDocumentAsync(document, "0"u8.ToArray(), default);
        Assert.Null(_queue.Finish(Patience));
        Assert.Equal(4, races);
        Assert.Equal(14, (await All(_replica.ListRunsAsync(NamePattern.Any, NamePattern.Any, default))).Single().Run!.Attempts);
        Assert.Equal("4"u8.ToArray(), await _replica.ReadDocumentAsync(document, default));
    }

    [Fact]
    public void What_goes_on_for_long_at_the_end_of_the_process_is_waited_for_and_what_stands_still_is_not()
    {
        using var end = new ManualResetEventSlim();
        _queue.Add(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                await Task.Delay(100);
                _queue.Tick();
            }
        });
        Assert.Null(_queue.Finish(TimeSpan.FromSeconds(4)));
        _queue.Add(() =>
        {
            end.Wait();
            return default;
        });
        Assert.Contains("missed 1 change", _queue.Finish(TimeSpan.FromSeconds(1)), StringComparison.Ordinal);
        end.Set();
    }

    // A store that is not there is looked for in its replica.
    private async Task Begin() => await Save(stage: Other);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static void Break(TestFileSystem files) => files.Before = _ => throw new IOException("the network");

    private ReplicatedStore Open(ReplicaMode mode) => new(Store, _replica, mode, _queue, _time, _warnings.Add);

    private static CheckpointRun Run(string id) => new() { Pipeline = Stage.Pipeline, Run = id, Status = RunStatus.Running, StartedAt = Noon, SortsAt = Noon, Attempts = 1 };

    private CheckpointEvent Event(string kind) => HistoryLog.Describe(_time, kind, Stage.Pipeline, null, null, null, null);

    private static async Task<List<T>> All<T>(IAsyncEnumerable<T> items)
    {
        var all = new List<T>();
        await foreach (var item in items)
            all.Add(item);
        return all;
    }

    private static void Until(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Patience), "it never came");
}
