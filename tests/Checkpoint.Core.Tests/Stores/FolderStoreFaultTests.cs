using System.Globalization;

namespace Checkpoint.Tests;

/// <summary>Every operation of a save, an overwrite, a removal and a reading fails once, in turn: nothing that was saved is lost, and nobody is told a lie.</summary>
public sealed class FolderStoreFaultTests : IDisposable
{
    // Far more than any of them does; a loop that never ends would say nothing.
    private const int MaxOperations = 500;

    private static readonly StageId Stage = new("nightly", "run 7", "ingest");
    private static readonly TestState Old = TestState.Large(1);
    private static readonly TestState Older = TestState.Small("older");

    private readonly TempFolder _temp = new();

    /// <summary>How the step of a save is chosen.</summary>
    public enum Choice
    {
        Next,
        Named,
        NamedWithOverwrite,
    }

    public static TheoryData<Fault, bool, Choice> NewSteps
    {
        get
        {
            var cases = new TheoryData<Fault, bool, Choice>();
            foreach (var fault in Enum.GetValues<Fault>())
            {
                foreach (var large in new[] { false, true })
                {
                    foreach (var choice in Enum.GetValues<Choice>())
                        cases.Add(fault, large, choice);
                }
            }
            return cases;
        }
    }

    public static TheoryData<Fault, bool> Overwrites
    {
        get
        {
            var cases = new TheoryData<Fault, bool>();
            foreach (var fault in Enum.GetValues<Fault>())
            {
                cases.Add(fault, false);
                cases.Add(fault, true);
            }
            return cases;
        }
    }

    public void Dispose() => _temp.Dispose();

    [Theory]
    [MemberData(nameof(NewSteps))]
    public async Task A_save_of_a_new_step_that_fails_leaves_the_store_as_it_was(Fault fault, bool large, Choice choice)
    {
        var named = choice != Choice.Next;
        var state = large ? TestState.Large(3) : TestState.Small("new");
        await FailEachOperation(fault, async (root, store) =>
        {
            var before = Files(root);
            var error = await TrySave(store, Draft(state, named ? 3 : null, choice == Choice.NamedWithOverwrite));
            if (error is null)
            {
                TestState.AssertEqual(state, await Restore(root, 3));
                return false;
            }
            AssertSays(error, fault, root);
            Assert.Equal(before, Files(root));
            Assert.Equal([2L, 1], await Steps(root));
            await AssertOldIsIntact(root);
            return true;
        },
        async root =>
        {
            Assert.Equal(named ? 4 : await Next(root), (await Save(root, state, named ? 4 : null)).Step);
            TestState.AssertEqual(state, await Restore(root, null));
            AssertTidy(root);
        });
    }

    [Theory]
    [MemberData(nameof(Overwrites))]
    public async Task A_first_save_that_fails_leaves_no_file_behind(Fault fault, bool large)
    {
        var state = large ? TestState.Large(3) : TestState.Small("new");
        await FailEachOperation(fault, async (root, store) =>
        {
            Directory.Delete(root, recursive: true);
            var error = await TrySave(store, Draft(state));
            if (error is null)
            {
                TestState.AssertEqual(state, await Restore(root, 1));
                return false;
            }
            AssertSays(error, fault, root);
            Assert.Empty(Files(root));
            Assert.Empty(await Steps(root));
            return true;
        },
        async root => Assert.Equal(await Next(root), (await Save(root, state)).Step));
    }

    [Theory]
    [MemberData(nameof(Overwrites))]
    public async Task An_overwrite_that_fails_leaves_the_old_or_the_new_but_never_none(Fault fault, bool large)
    {
        var state = large ? TestState.Large(3) : TestState.Small("new");
        await FailEachOperation(fault, async (root, store) =>
        {
            var error = await TrySave(store, Draft(state, 2, overwrite: true));
            Assert.Equal([2L, 1], await Steps(root));
            var content = await Restore(root, 2);
            TestState.AssertEqual(Older, await Restore(root, 1));
            if (error is null)
            {
                TestState.AssertEqual(state, content);
                return false;
            }
            AssertSays(error, fault, root);
            TestState.AssertEqual(content!.Document == state.Document ? state : Old, content);
            Assert.DoesNotContain(Files(root).Keys, name => name.EndsWith(FolderLayout.TemporarySuffix, StringComparison.Ordinal));
            return true;
        },
        async root =>
        {
            await Save(root, state, 2, overwrite: true);
            TestState.AssertEqual(state, await Restore(root, 2));
            AssertTidy(root);
        });
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_disk_that_stays_full_takes_nothing_and_keeps_everything(bool large, bool overwrite)
    {
        var state = large ? TestState.Large(3) : TestState.Small("new");
        for (var n = 1; ; n++)
        {
            var root = await Arrange(n);
            var before = Files(root);
            var files = new TestFileSystem();
            var count = 0;
            files.Before = operation =>
            {
                if (operation.Changes && ++count >= n)
                    throw Fault.DiskFull.Make();
            };
            var error = await TrySave(new FolderStore(root, files), Draft(state, overwrite ? 2 : null, overwrite));
            if (error is null)
            {
                Assert.True(n > 4, "a save has more operations than that");
                return;
            }
            AssertSays(error, Fault.DiskFull, root);
            var content = await Restore(root, 2);
            TestState.AssertEqual(content!.Document == state.Document ? state : Old, content);
            if (!overwrite)
                Assert.Equal(before, Files(root));
            await Save(root, state, overwrite ? 2 : null, overwrite);
            TestState.AssertEqual(state, await Restore(root, null));
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_process_that_dies_at_any_operation_leaves_a_whole_store(bool large, bool overwrite)
    {
        var state = large ? TestState.Large(3) : TestState.Small("new");
        for (var n = 1; ; n++)
        {
            var root = await Arrange(n);
            var files = new TestFileSystem();
            var count = 0;
            var died = false;
            files.Before = operation =>
            {
                if (++count < n)
                    return;
                // The dead do not tidy up.
                died = true;
                throw Fault.InputOutput.Make();
            };
            var error = await TrySave(new FolderStore(root, files), Draft(state, overwrite ? 2 : null, overwrite));
            if (!died)
                return;

            var steps = await Steps(root);
            Assert.True(steps is [2, 1] || (!overwrite && steps is [3, 2, 1]), $"operation {n}: {string.Join(", ", steps)}");
            var content = await Restore(root, steps[0]);
            if (error is null || steps[0] == 3)
                TestState.AssertEqual(state, content);
            else
                TestState.AssertEqual(content!.Document == state.Document ? state : Old, content);
            TestState.AssertEqual(Older, await Restore(root, 1));

            // What it left behind is removed by a later save, once it is old.
            foreach (var file in Directory.EnumerateFiles(FolderLayout.StagePath(root, Stage)))
                File.SetLastWriteTimeUtc(file, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
            await Save(root, TestState.Small("later"));
            AssertTidy(root);
            TestState.AssertEqual(content!, await Restore(root, steps[0]));
        }
    }

    [Theory]
    [InlineData(Fault.DiskFull, false)]
    [InlineData(Fault.DiskFull, true)]
    [InlineData(Fault.InputOutput, false)]
    [InlineData(Fault.InputOutput, true)]
    [InlineData(Fault.AccessDenied, false)]
    [InlineData(Fault.AccessDenied, true)]
    [InlineData(Fault.ReadOnly, false)]
    [InlineData(Fault.ReadOnly, true)]
    public async Task A_removal_that_fails_leaves_no_step_without_its_payload(Fault fault, bool all)
    {
        await FailEachOperation(fault, async (root, store) =>
        {
            CheckpointException? error = null;
            try
            {
                await store.RemoveAsync(Stage, all ? null : [2], default);
            }
            catch (CheckpointException e)
            {
                error = e;
            }
            foreach (var step in await Steps(root))
                TestState.AssertEqual(step == 2 ? Old : Older, await Restore(root, step));
            if (error is null)
            {
                Assert.Equal(all ? [] : [1L], await Steps(root));
                return false;
            }
            AssertSays(error, fault, root);
            return true;
        },
        async root =>
        {
            await new FolderStore(root, new TestFileSystem()).RemoveAsync(Stage, all ? null : [2], default);
            Assert.Equal(all ? [] : [1L], await Steps(root));
        });
    }

    [Theory]
    [InlineData(Fault.InputOutput)]
    [InlineData(Fault.AccessDenied)]
    public async Task A_store_that_cannot_be_read_is_an_error_and_never_an_empty_or_damaged_one(Fault fault)
    {
        var query = new StageQuery { Pipeline = NamePattern.Any, Run = NamePattern.Any };
        foreach (var read in new Func<CheckpointStore, Task>[]
        {
            async store => Assert.NotNull(await store.FindAsync(Stage, default)),
            async store => Assert.NotNull((await store.ReadAsync(Stage, 2, default)).Info),
            async store => TestState.AssertEqual(Old, (await new CheckpointEngine(new DelegatingStore(store) { HasHistory = false }).RestoreAsync(Stage, null, TestState.Read, null, default)).State),
            async store => TestState.AssertEqual(Old, (await new CheckpointEngine(new DelegatingStore(store) { HasHistory = false }).RestoreAsync(Stage, 2, TestState.Read, null, default)).State),
            async store => Assert.Equal(DecisionCause.Completed, (await new CheckpointEngine(store).DecideAsync(Stage, null, null, null, default)).Cause),
            async store =>
            {
                await foreach (var stage in store.ListAsync(query, default))
                    Assert.NotNull(stage.Newest.OrThrow());
            },
        })
        {
            await FailEachOperation(fault, async (root, store) =>
            {
                try
                {
                    await read(store);
                    return false;
                }
                catch (CheckpointException e)
                {
                    AssertSays(e, fault, root);
                    return true;
                }
            },
            root => Task.CompletedTask);
        }
    }

    [Fact]
    public async Task A_failed_save_says_so_even_where_its_tidying_fails_too()
    {
        var root = await Arrange(1);
        var files = new TestFileSystem
        {
            Before = operation =>
            {
                if (operation.Verb is FileVerb.Flush)
                    throw Fault.DiskFull.Make();
                if (operation.IsDeletion)
                    throw Fault.AccessDenied.Make();
            },
        };
        AssertSays(await TrySave(new FolderStore(root, files), Draft(TestState.Large(3))), Fault.DiskFull, root);
        Assert.Equal([2L, 1], await Steps(root));
    }

    [Fact]
    public async Task An_error_that_tidying_meets_after_the_save_does_not_fail_the_save()
    {
        var root = await Arrange(1);
        var folder = FolderLayout.StagePath(root, Stage);
        var leftover = Path.Join(folder, FolderLayout.NewTemporaryName());
        await File.WriteAllTextAsync(leftover, "");
        File.SetLastWriteTimeUtc(leftover, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var files = new TestFileSystem
        {
            Before = operation =>
            {
                if (operation.IsDeletion)
                    throw Fault.AccessDenied.Make();
            },
        };
        Assert.Equal(3, (await new FolderStore(root, files).SaveAsync(Draft(TestState.Small("new")), default)).Step);
        Assert.True(files.Operations.Any(o => o.IsDeletion), "nothing was tidied");
    }

    private static CheckpointDraft Draft(TestState state, long? step = null, bool overwrite = false) =>
        new() { Stage = Stage, State = state, Step = step, Overwrite = overwrite, SavedAt = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero) };

    private static async Task<CheckpointException?> TrySave(FolderStore store, CheckpointDraft draft)
    {
        try
        {
            await store.SaveAsync(draft, default);
            return null;
        }
        catch (CheckpointException e)
        {
            return e;
        }
    }

    private static async Task<CheckpointInfo> Save(string root, TestState state, long? step = null, bool overwrite = false) =>
        await new FolderStore(root, new TestFileSystem()).SaveAsync(Draft(state, step, overwrite), default);

    // A store of its own for each look, so that nothing is remembered.
    private static async Task<IReadOnlyList<long>> Steps(string root) => (await new FolderStore(root).FindAsync(Stage, default))?.Steps ?? [];

    private static async Task<long> Next(string root) => await Steps(root) is [var latest, ..] ? latest + 1 : 1;

    private static async Task<TestState?> Restore(string root, long? step) =>
        (await new CheckpointEngine(new DelegatingStore(new FolderStore(root)) { HasHistory = false }).RestoreAsync(Stage, step, TestState.Read, null, default)).State;

    private static async Task AssertOldIsIntact(string root)
    {
        TestState.AssertEqual(Old, await Restore(root, null));
        TestState.AssertEqual(Old, await Restore(root, 2));
        TestState.AssertEqual(Older, await Restore(root, 1));
        var decision = await new CheckpointEngine(new FolderStore(root)).DecideAsync(Stage, null, null, null, default);
        Assert.Equal(2, decision.Checkpoint!.Step);
        Assert.Empty(decision.Damage);
    }

    private static SortedDictionary<string, string> Files(string root)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (Directory.Exists(root))
        {
            foreach (var file in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories))
                files[Path.GetRelativePath(root, file)] = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)));
        }
        return files;
    }

    /// <summary>Nothing lies there but records and the payloads that they name.</summary>
    private static void AssertTidy(string root)
    {
        var records = string.Concat(Files(root).Keys.Where(f => f.EndsWith(".json", StringComparison.Ordinal)).Select(f => File.ReadAllText(Path.Join(root, f))));
        foreach (var name in Files(root).Keys.Select(f => Path.GetFileName(f)))
        {
            var kind = FolderLayout.Classify(name).Kind;
            Assert.True(kind == FolderEntryKind.Record || (kind == FolderEntryKind.Payload && records.Contains(name, StringComparison.Ordinal)), $"'{name}' was left behind");
        }
    }

    private static void AssertSays(CheckpointException? error, Fault fault, string root)
    {
        Assert.NotNull(error);
        Assert.Equal(fault.Kind(), error.Kind);
        Assert.Contains("(injected)", error.Message, StringComparison.Ordinal);
        Assert.Contains(root, error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Target);
        Assert.NotNull(error.InnerException);
    }

    private async Task<string> Arrange(int n)
    {
        var root = Path.Join(_temp.Path, n.ToString(CultureInfo.InvariantCulture));
        await Save(root, Older);
        await Save(root, Old);
        return root;
    }

    /// <summary>Makes the first operation fail, then the second, and so on until there is none left to fail.</summary>
    /// <param name="fault">How they fail.</param>
    /// <param name="act">Does what is tested; says whether it failed.</param>
    /// <param name="afterwards">What must go well when nothing fails any more.</param>
    private async Task FailEachOperation(Fault fault, Func<string, FolderStore, Task<bool>> act, Func<string, Task> afterwards)
    {
        var failures = 0;
        for (var n = 1; n <= MaxOperations; n++)
        {
            var root = await Arrange(n);
            var files = new TestFileSystem();
            var count = 0;
            FileOperation? failed = null;
            files.Before = operation =>
            {
                if (operation.CanFail && ++count == n)
                {
                    failed = operation;
                    throw fault.Make();
                }
            };
            try
            {
                failures += await act(root, new FolderStore(root, files)) ? 1 : 0;
                if (failed is null)
                {
                    Assert.True(failures > 0, "nothing ever failed");
                    return;
                }
                await afterwards(root);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"With {fault} at operation {n}, {failed}: {e.Message}", e);
            }
            Directory.Delete(root, recursive: true);
        }
        Assert.Fail("It never ends.");
    }
}
