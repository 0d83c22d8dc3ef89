using System.Collections.Concurrent;
using System.Diagnostics;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>Readers and writers at the same time, each with a store of its own, as in several processes.</summary>
public sealed class FolderStoreConcurrencyTests(ITestOutputHelper output) : StoreTest
{
    private const int Threads = 8;

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public void Writers_of_one_stage_never_lose_or_double_a_step(bool large, bool locks)
    {
        const int Saves = 25;
        var saved = new ConcurrentBag<(long Step, int Seed)>();
        Run(Threads, thread =>
        {
            var store = new FolderStore(Root, new TestFileSystem { LockAnswer = locks ? null : LockResult.Unsupported });
            for (var i = 0; i < Saves; i++)
            {
                var seed = (thread * Saves) + i;
                saved.Add((Wait(store.SaveAsync(Draft(State(seed, large)), default)).Step, seed));
            }
        });
        Assert.Equal(Enumerable.Range(1, Threads * Saves).Select(i => (long)i), saved.Select(s => s.Step).Order());
        foreach (var (step, seed) in saved)
            TestState.AssertEqual(State(seed, large), Wait(Restore(step)));
        Assert.Empty(Names(FolderEntryKind.Temporary));
        Assert.Equal(large ? Threads * Saves : 0, Names(FolderEntryKind.Payload).Count);
    }

    [Fact]
    public async Task Writers_on_the_thread_pool_do_not_stand_still()
    {
        const int Writers = 40;
        var started = Stopwatch.GetTimestamp();
        // Long enough that its flush is waited for on the pool.
        var saves = Enumerable.Range(0, Writers).Select(i => Task.Run(async () => (await NewStore().SaveAsync(Draft(TestState.Large(i, 6_000_000)), default)).Step));
        Assert.Equal(Enumerable.Range(1, Writers).Select(i => (long)i), (await Task.WhenAll(saves)).Order());
        output.WriteLine($"{Stopwatch.GetElapsedTime(started).TotalSeconds:n1} s");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_many_writers_of_one_step_exactly_one_saves_it(bool large)
    {
        for (var step = 1; step <= 20; step++)
        {
            var won = new ConcurrentBag<int>();
            Run(Threads, thread =>
            {
                try
                {
                    Wait(NewStore().SaveAsync(Draft(State(thread, large), step), default));
                    won.Add(thread);
                }
                catch (CheckpointException e)
                {
                    Assert.Equal(CheckpointErrorKind.CheckpointExists, e.Kind);
                }
            });
            TestState.AssertEqual(State(Assert.Single(won), large), Wait(Restore(step)));
        }
        Assert.Equal(large ? 20 : 0, Names(FolderEntryKind.Payload).Count);
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_reader_during_overwrites_always_reads_a_whole_checkpoint(bool large)
    {
        Wait(Save(State(1, large)));
        ReadWhile(
            () =>
            {
                var store = NewStore();
                for (var seed = 2; seed <= 150; seed++)
                    Wait(store.SaveAsync(Draft(State(seed, large && seed % 3 != 0), 1, overwrite: true), default));
            },
            () =>
            {
                var read = Wait(new CheckpointEngine(NewStore()).RestoreAsync(Stage, 1, TestState.Read, null, default));
                Assert.Empty(read.Damage);
                AssertWhole(read.State!);
                Assert.NotNull(Wait(NewStore().ReadAsync(Stage, 1, default)).Info);
            });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_reader_during_saves_and_pruning_always_finds_a_whole_checkpoint_and_never_an_older_one_than_before(bool large)
    {
        Wait(Save(State(1, large)));
        var acknowledged = 1L;
        ReadWhile(
            () =>
            {
                var engine = new CheckpointEngine(NewStore());
                for (var seed = 2; seed <= 200; seed++)
                {
                    var (saved, _, error) = Wait(engine.SaveAsync(Draft(State(seed, large)), new RetentionPolicy { Keep = 1 }, default));
                    Assert.Null(error);
                    Volatile.Write(ref acknowledged, saved.Step);
                }
            },
            () =>
            {
                var store = NewStore();
                var before = Volatile.Read(ref acknowledged);
                var decision = Wait(new CheckpointEngine(store).DecideAsync(Stage, null, null, null, default));
                Assert.Equal(DecisionCause.Completed, decision.Cause);
                Assert.Empty(decision.Damage);
                Assert.True(decision.Checkpoint!.Step >= before, $"step {decision.Checkpoint.Step} was found after step {before} was saved");

                before = Volatile.Read(ref acknowledged);
                var read = Wait(new CheckpointEngine(store).RestoreAsync(Stage, null, TestState.Read, null, default));
                AssertWhole(read.State!);
                Assert.Empty(read.Damage);
                Assert.True(read.Checkpoint.Step >= before, $"step {read.Checkpoint.Step} was restored after step {before} was saved");

                foreach (var stage in Wait(List(store, new StageQuery { Pipeline = NamePattern.Any })))
                    Assert.NotNull(stage.Newest.Info);
            });
        Assert.Equal([acknowledged], Wait(Steps()));
        Assert.Equal(large ? 1 : 0, Names(FolderEntryKind.Payload).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_save_and_a_clearing_at_the_same_time_both_succeed(bool large)
    {
        var cleared = 0;
        Run(4, thread =>
        {
            var store = NewStore();
            for (var i = 0; i < 60; i++)
            {
                if (thread < 2)
                    AssertWhole(Saved(store, State((thread * 100) + i, large)));
                else
                    Interlocked.Add(ref cleared, Wait(store.RemoveAsync(Stage, null, default)));
            }
        });
        foreach (var step in Wait(Steps()))
            AssertWhole(Wait(Restore(step))!);
        output.WriteLine($"{cleared} steps were cleared");
    }

    [Fact]
    public void Clearing_in_many_places_at_once_is_no_error()
    {
        for (var round = 0; round < 30; round++)
        {
            for (var step = 1; step <= 5; step++)
                Wait(new FolderStore(Root, new TestFileSystem()).SaveAsync(Draft(TestState.Large(step)), default));
            Run(4, _ => Wait(NewStore().RemoveAsync(Stage, null, default)));
            Assert.Empty(Wait(Steps()));
            Assert.Empty(Temp.Files());
        }
    }

    [Fact]
    public void Writers_of_different_stages_do_not_hinder_each_other()
    {
        Run(Threads, thread =>
        {
            var stage = new StageId("nightly", thread % 2 == 0 ? null : "7", $"stage {thread}");
            var store = NewStore();
            for (var i = 1; i <= 10; i++)
                Assert.Equal(i, Wait(store.SaveAsync(Draft(TestState.Small("x"), stage: stage), default)).Step);
        });
        Assert.Equal(4, Wait(List(Store, new StageQuery { Pipeline = NamePattern.Any })).Count);
        Assert.Equal(4, Wait(List(Store, new StageQuery { Pipeline = NamePattern.Any, Run = NamePattern.Any })).Count);
    }

    [Fact]
    public void One_store_object_serves_many_threads()
    {
        Run(Threads, thread =>
        {
            var engine = new CheckpointEngine(Store);
            for (var i = 0; i < 10; i++)
            {
                Wait(engine.SaveAsync(Draft(TestState.Small("x")), new RetentionPolicy { Keep = 3 }, default));
                Assert.Equal(DecisionCause.Completed, Wait(engine.DecideAsync(Stage, null, null, null, default)).Cause);
            }
        });
        Assert.Equal([80L, 79, 78], Wait(Steps()));
    }

    private static TestState State(int seed, bool large) => large ? TestState.Large(seed, 20_000 + (seed * 10)) : TestState.Small(new string((char)('a' + (seed % 26)), 100 + seed));

    private static void AssertWhole(TestState state)
    {
        if (state.Blob.Length == 0)
        {
            Assert.Single(state.Document.Trim('"').Distinct());
            Assert.Equal(state.Document[1], (char)('a' + ((state.Document.Length - 102) % 26)));
        }
        else
        {
            TestState.AssertEqual(State((state.Blob.Length - 20_000) / 10, large: true), state);
        }
    }

    private static TestState Saved(CheckpointStore store, TestState state)
    {
        Wait(store.SaveAsync(Draft(state), default));
        return state;
    }

    private static T Wait<T>(ValueTask<T> task) => task.AsTask().GetAwaiter().GetResult();

    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    // The medium is not waited for, and nothing is remembered between two of them.
    private FolderStore NewStore() => new(Root, new TestFileSystem());

    // Threads of their own: the pool would start them one after the other.
    private static void Run(int count, Action<int> work)
    {
        var errors = new ConcurrentBag<Exception>();
        using var start = new Barrier(count);
        var threads = Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            try
            {
                work(i);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                errors.Add(e);
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        if (!errors.IsEmpty)
            throw new AggregateException(errors);
    }

    private void ReadWhile(Action write, Action read)
    {
        var reads = 0;
        var (done, failed) = (false, false);
        Run(2, thread =>
        {
            if (thread == 0)
            {
                try
                {
                    // On a busy machine all may be written before the other has read much.
                    do
                        write();
                    while (Volatile.Read(ref reads) <= 10 && !Volatile.Read(ref failed));
                }
                finally
                {
                    Volatile.Write(ref done, true);
                }
                return;
            }
            try
            {
                do
                {
                    read();
                    Interlocked.Increment(ref reads);
                }
                while (!Volatile.Read(ref done));
            }
            catch
            {
                Volatile.Write(ref failed, true);
                throw;
            }
        });
        output.WriteLine($"{reads} reads");
    }
}
