using System.Text;

namespace Checkpoint.Tests;

/// <summary>Saving behind the work: what is captured, when it is committed, who waits, and who is told of a failure.</summary>
public sealed class PendingSavesTests : StoreTest
{
    private static readonly StageId Other = new("nightly", null, "other");

    private readonly TestFileSystem _files = new();
    private readonly PendingSaves _pending = new();
    private readonly ManualResetEventSlim _gate = new();
    private readonly ManualTime _time = new();
    private readonly List<CheckpointException> _warnings = [];

    public PendingSavesTests()
    {
        Store = new FolderStore(Root, _files, _time);
        Engine = new CheckpointEngine(Store, _time, _warnings.Add, _pending);
    }

    private CheckpointEngine Engine { get; }

    [Theory]
    [InlineData(FileVerb.CreateFile)]
    [InlineData(FileVerb.RenameNew)]
    public async Task A_step_is_listed_only_when_it_is_committed_and_has_the_state_of_the_call(FileVerb heldAt)
    {
        HoldCommits(heldAt);
        var state = TestState.Large(1);
        var before = new TestState(state.Document, [.. state.Blob]);
        Engine.SaveBehind(Draft(state), new RetentionPolicy(), default);
        Array.Clear(state.Blob);
        Assert.Empty(await Steps());
        _gate.Set();
        Settle();
        Assert.Equal([1L], await Steps());
        TestState.AssertEqual(before, await Restore());
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(100, 0)]
    [InlineData(70_000, 0)]
    [InlineData(3_000_000, 0)]
    [InlineData(100, 3_000_000)]
    [InlineData(200_000, 3_000_000)]
    public async Task What_is_saved_behind_the_work_is_byte_for_byte_what_a_plain_save_saves(int document, int blob)
    {
        var state = new TestState('"' + new string('x', document) + '"', [.. TestState.Large(2, Math.Max(blob, 1)).Blob.Take(blob)], isSequence: true);
        var (plain, _, _) = await Engine.SaveAsync(Draft(state), new RetentionPolicy(), default);
        Engine.SaveBehind(Draft(state), new RetentionPolicy(), default);
        Settle();
        var behind = (await Store.ReadAsync(Stage, 2, default)).Info!;
        Assert.Equal(plain.State!.Sha256, behind.State!.Sha256);
        Assert.Equal(plain.State.Inline, behind.State.Inline);
        Assert.Equal(plain.State.DocumentLength, behind.State.DocumentLength);
        TestState.AssertEqual(state, await Restore(2));
    }

    [Fact]
    public async Task Memory_that_is_used_again_does_not_reach_what_was_saved_from_it()
    {
        for (var i = 1; i <= 5; i++)
        {
            Engine.SaveBehind(Draft(TestState.Large(i, 2_000_000 - i)), new RetentionPolicy(), default);
            Engine.SaveBehind(Draft(TestState.Large(100 + i, 1_500_000), stage: Other), new RetentionPolicy(), default);
        }
        Settle();
        for (var i = 1; i <= 5; i++)
        {
            TestState.AssertEqual(TestState.Large(i, 2_000_000 - i), await Restore(i));
            TestState.AssertEqual(TestState.Large(100 + i, 1_500_000), await Restore(i, Other));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_large_capture_lies_so_that_it_can_be_written_past_the_cache_or_through_it(bool refused)
    {
        _files.RefusesDirect = refused;
        // Whatever the document's length, and in memory that is used again.
        foreach (var document in new[] { 1, 100, 4_095, 4_096, 70_001 })
        {
            _files.DirectWrites.Clear();
            var state = new TestState('"' + new string('x', document) + '"', TestState.Large(document, 5_000_000).Blob);
            Engine.SaveBehind(Draft(state), new RetentionPolicy(), default);
            Settle();
            TestState.AssertEqual(state, await Restore());
            Assert.All(_files.DirectWrites, w => Assert.Equal((0, 0L), (w.Length % FileSystem.DirectUnit, w.Offset % FileSystem.DirectUnit)));
            // Who refused once, or cannot, is not asked again.
            Assert.NotEmpty(_files.DirectWrites);
            if (refused)
                Assert.Single(_files.DirectWrites);
        }
    }

    [Fact]
    public async Task The_second_save_of_a_stage_waits_with_its_capture_until_the_first_is_committed()
    {
        HoldCommits();
        Engine.SaveBehind(Draft(TestState.Large(1)), new RetentionPolicy(), default);
        using var captured = new Reached();
        var second = Task.Run(() => Engine.SaveBehind(Draft(new WatchedState(() =>
        {
            Assert.Equal([1L], Steps().Result);
            captured.Set();
        })), new RetentionPolicy(), default));
        Assert.NotEqual(second, await Task.WhenAny(second, Task.Delay(100)));
        _gate.Set();
        captured.WaitDuring(second);
        await second;
        Settle();
        Assert.Equal([2L, 1], await Steps());
    }

    [Fact]
    public async Task Stages_are_saved_side_by_side()
    {
        using var all = new CountdownEvent(8);
        _files.Before = o =>
        {
            // Each record waits for the other seven: saved one after the other, they never would.
            if (o is not { Verb: FileVerb.RenameNew, Kind: FolderEntryKind.Record })
                return;
            all.Signal();
            if (!all.Wait(TimeSpan.FromSeconds(30)))
                throw new IOException("the others did not come");
        };
        for (var i = 0; i < 8; i++)
            Engine.SaveBehind(Draft(TestState.Large(i), stage: new StageId("nightly", null, $"s{i}")), new RetentionPolicy(), default);
        Settle();
        for (var i = 0; i < 8; i++)
            Assert.Equal([1L], await Steps(new StageId("nightly", null, $"s{i}")));
    }

    [Theory]
    [InlineData("save")]
    [InlineData("save behind")]
    [InlineData("test")]
    [InlineData("restore")]
    public async Task A_failure_is_raised_once_by_the_next_call_for_the_stage_which_does_nothing_else(string call)
    {
        foreach (var fault in Enum.GetValues<Fault>())
        {
            _files.Before = o =>
            {
                if (o.Verb == FileVerb.Write && o.Kind != FolderEntryKind.Foreign)
                    throw fault.Make();
            };
            Engine.SaveBehind(Draft(TestState.Large(1)), new RetentionPolicy(), default);
            _pending.Wait((_, _) => true, default);
            _files.Before = null;
            // Another stage is not concerned.
            await Engine.DecideAsync(Other, null, null, null, default);
            var error = await Assert.ThrowsAsync<CheckpointException>(() => Call(call));
            Assert.Equal(fault.Kind(), error.Kind);
            Assert.Contains("-Async", error.Message, StringComparison.Ordinal);
            Assert.Empty(await Steps());
            Assert.False((await Engine.DecideAsync(Stage, null, null, null, default)).Decision == StageDecision.Skip);
        }
        await Engine.SaveAsync(Draft(TestState.Large(1)), new RetentionPolicy(), default);
        Assert.Equal([1L], await Steps());
    }

    [Fact]
    public async Task Every_way_a_commit_can_fail_leaves_the_step_before_and_is_told()
    {
        await Save(TestState.Small("old"));
        Engine.SaveBehind(Draft(TestState.Large(9)), new RetentionPolicy(), default);
        _files.Forget();
        Settle();
        var failed = 0;
        for (var at = 0; at < 60; at++)
        {
            var count = 0;
            var limit = at;
            _files.Before = o =>
            {
                if (o.Changes && !o.Path.EndsWith("history.jsonl", StringComparison.Ordinal) && Interlocked.Increment(ref count) == limit + 1)
                    throw Fault.DiskFull.Make();
            };
            var steps = await Steps();
            Engine.SaveBehind(Draft(TestState.Large(1)), new RetentionPolicy(), default);
            _pending.Wait((_, _) => true, default);
            _files.Before = null;
            var failure = _pending.TakeFailure((_, _) => true, null, out var isLast);
            Assert.True(isLast);
            Assert.Null(_pending.TakeFailure((_, _) => true, null, out _));
            if (failure is null)
            {
                Assert.Equal(steps.Count + 1, (await Steps()).Count);
                break;
            }
            failed++;
            Assert.Equal(CheckpointErrorKind.StoreFull, Assert.IsType<CheckpointException>(failure).Kind);
            Assert.Equal(steps, await Steps());
        }
        Assert.InRange(failed, 5, 59);
    }

    [Fact]
    public async Task A_step_that_is_there_is_an_error_at_once_and_left_as_it_is()
    {
        await Save(TestState.Small("first"), step: 7);
        var error = Assert.Throws<CheckpointException>(() => Engine.SaveBehind(Draft(TestState.Small("second"), 7), new RetentionPolicy(), default));
        Assert.Equal(CheckpointErrorKind.CheckpointExists, error.Kind);
        TestState.AssertEqual(TestState.Small("first"), await Restore(7));
        Engine.SaveBehind(Draft(TestState.Small("second"), 7, overwrite: true), new RetentionPolicy(), default);
        Settle();
        TestState.AssertEqual(TestState.Small("second"), await Restore(7));
    }

    [Fact]
    public async Task Retention_and_history_are_those_of_a_plain_save()
    {
        for (var i = 1; i <= 5; i++)
            Engine.SaveBehind(Draft(TestState.Large(i)), new RetentionPolicy { Keep = 2 }, default);
        Settle();
        Assert.Equal([5L, 4], await Steps());
        var events = new List<string>();
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Any, default))
            events.Add(entry.Event);
        Assert.Equal(5, events.Count(e => e == CheckpointEvents.Saved));
        Assert.Equal(3, events.Count(e => e == CheckpointEvents.Pruned));
    }

    [Fact]
    public void A_history_that_could_not_be_written_is_a_warning_of_the_next_call_on_its_thread()
    {
        _files.Before = o =>
        {
            if (o.Verb == FileVerb.OpenLocked)
                throw Fault.DiskFull.Make();
        };
        Engine.SaveBehind(Draft(TestState.Large(1)), new RetentionPolicy(), default);
        _pending.Wait((_, _) => true, default);
        _files.Before = null;
        Assert.Empty(_warnings);
        Settle();
        Assert.Equal(CheckpointErrorKind.StoreFull, Assert.Single(_warnings).Kind);
    }

    [Fact]
    public async Task Who_waits_can_be_cancelled_and_those_behind_him_keep_their_order()
    {
        HoldCommits();
        Engine.SaveBehind(Draft(TestState.Small("1")), new RetentionPolicy(), default);
        using var source = new CancellationTokenSource();
        var cancelled = Task.Run(() => Engine.SaveBehind(Draft(TestState.Small("never")), new RetentionPolicy(), source.Token));
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        using var waiting = new CancellationTokenSource(50);
        Assert.ThrowsAny<OperationCanceledException>(() => _pending.Wait((_, _) => true, waiting.Token));
        var third = Task.Run(() => Engine.SaveBehind(Draft(TestState.Small("2")), new RetentionPolicy(), default));
        _gate.Set();
        await third;
        Settle();
        TestState.AssertEqual(TestState.Small("2"), await Restore(2));
        Assert.Equal([2L, 1], await Steps());
    }

    [Fact]
    public async Task A_capture_that_fails_frees_the_stage()
    {
        Assert.Throws<InvalidOperationException>(() => Engine.SaveBehind(Draft(new WatchedState(() => throw new InvalidOperationException("no"))), new RetentionPolicy(), default));
        await Engine.SaveAsync(Draft(), new RetentionPolicy(), default);
        Assert.Equal([1L], await Steps());
    }

    [Fact]
    public async Task Many_writers_of_one_stage_lose_nothing()
    {
        var writers = Enumerable.Range(0, 4).Select(w => Task.Run(() =>
        {
            for (var i = 0; i < 10; i++)
                Engine.SaveBehind(Draft(TestState.Small($"{w}.{i}")), new RetentionPolicy(), default);
        }));
        await Task.WhenAll(writers);
        Settle();
        Assert.Equal(40, (await Steps()).Count);
        var documents = new List<string>();
        for (var step = 1; step <= 40; step++)
            documents.Add((await Restore(step))!.Document);
        // Of each writer in its order.
        for (var w = 0; w < 4; w++)
            Assert.Equal(Enumerable.Range(0, 10).Select(i => $"\"{w}.{i}\""), documents.Where(d => d.StartsWith($"\"{w}.", StringComparison.Ordinal)));
    }

    private void HoldCommits(FileVerb at = FileVerb.RenameNew) => _files.Before = o =>
    {
        if (o.Verb == at)
            _gate.Wait(TimeSpan.FromSeconds(30));
    };

    private void Settle()
    {
        _pending.Settle(Store.Location, Stage, _warnings.Add, default);
        _pending.Wait((_, _) => true, default);
        Assert.Null(_pending.TakeFailure((_, _) => true, null, out _));
    }

    private async Task Call(string call)
    {
        switch (call)
        {
            case "save":
                await Engine.SaveAsync(Draft(), new RetentionPolicy(), default);
                break;
            case "save behind":
                Engine.SaveBehind(Draft(), new RetentionPolicy(), default);
                break;
            case "test":
                await Engine.DecideAsync(Stage, null, null, null, default);
                break;
            default:
                await Engine.RestoreAsync(Stage, null, TestState.Read, null, default);
                break;
        }
    }

    private sealed class WatchedState(Action onWrite) : IStateSource
    {
        public bool IsSequence => false;

        public void WriteTo(StateWriter writer, CancellationToken cancellation)
        {
            onWrite();
            Encoding.ASCII.GetBytes("1").CopyTo(writer.GetSpan(1));
            writer.Advance(1);
        }
    }
}
