using System.Collections.ObjectModel;
using System.Runtime.Versioning;

namespace Checkpoint.Tests;

public sealed class FolderStoreSaveTests : StoreTest
{
    [Fact]
    public async Task A_store_that_is_not_there_is_empty_and_is_not_made_by_looking()
    {
        Assert.Null(await Store.FindAsync(Stage, default));
        Assert.True((await Store.ReadAsync(Stage, 1, default)).IsMissing);
        Assert.Empty(await List(Store, new StageQuery { Pipeline = NamePattern.Any, Run = NamePattern.Any }));
        Assert.Empty(await List(Store, new StageQuery { Pipeline = NamePattern.Any }));
        Assert.Equal(0, await Store.RemoveAsync(Stage, null, default));
        Assert.Equal(0, await Store.RemoveAsync(Stage, [1, 2], default));
        Assert.False(Directory.Exists(Root));
    }

    [Fact]
    public async Task Steps_begin_at_1_and_go_on_from_the_latest()
    {
        Assert.Equal(1, (await Save()).Step);
        Assert.Equal(2, (await Save()).Step);
        Assert.Equal(10, (await Save(step: 10)).Step);
        Assert.Equal(11, (await Save()).Step);
        Assert.Equal(3, (await Save(step: 3)).Step);
        Assert.Equal(12, (await Save()).Step);
        Assert.Equal([12L, 11, 10, 3, 2, 1], await Steps());
    }

    [Fact]
    public async Task Step_0_is_a_step_and_the_next_is_1()
    {
        Assert.Equal(0, (await Save(TestState.Small("zero"), 0)).Step);
        Assert.Equal([0L], await Steps());
        TestState.AssertEqual(TestState.Small("zero"), await Restore(0));
        Assert.Equal(1, (await Save()).Step);
    }

    [Fact]
    public async Task A_step_that_was_cleared_is_given_again_only_when_it_was_the_latest()
    {
        await Save();
        await Save();
        await Save();
        await Store.RemoveAsync(Stage, [2], default);
        Assert.Equal(4, (await Save()).Step);
        await Store.RemoveAsync(Stage, [4], default);
        Assert.Equal(4, (await Save()).Step);
    }

    [Fact]
    public async Task Steps_of_more_than_ten_digits_are_in_order()
    {
        foreach (var step in new[] { 9_999_999_999, 10_000_000_000, 2, long.MaxValue - 1 })
            await Save(step: step);
        Assert.Equal([long.MaxValue - 1, 10_000_000_000, 9_999_999_999, 2], await Steps());
        Assert.Equal(long.MaxValue, (await Save()).Step);
    }

    [Fact]
    public async Task Behind_the_highest_step_there_is_no_next()
    {
        await Save(TestState.Large(1), long.MaxValue);
        var before = Temp.Files();
        foreach (var state in new[] { null, TestState.Small("x"), TestState.Large(2) })
        {
            var error = await Assert.ThrowsAsync<CheckpointException>(() => Save(state));
            Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
            Assert.Contains("highest step", error.Message, StringComparison.Ordinal);
        }
        Assert.Equal(before, Temp.Files());
        TestState.AssertEqual(TestState.Large(1), await Restore());
    }

    [Fact]
    public async Task No_step_is_below_0()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Save(step: -1));
        Assert.Empty(Temp.Files());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_step_that_is_saved_is_left_as_it_is(bool oldLarge, bool newLarge)
    {
        await Save(oldLarge ? TestState.Large(1) : TestState.Small("old"), 4);
        var before = Temp.Files();
        var error = await Assert.ThrowsAsync<CheckpointException>(() => Save(newLarge ? TestState.Large(2) : TestState.Small("new"), 4));
        Assert.Equal(CheckpointErrorKind.CheckpointExists, error.Kind);
        Assert.Equal("ingest", error.Target);
        foreach (var part in new[] { "Step 4", "'ingest'", "'nightly'", Root, "-Overwrite" })
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Temp.Files());
    }

    [Fact]
    public async Task A_step_that_comes_to_be_while_a_state_is_written_is_left_as_it_is()
    {
        var other = new FolderStore(Root);
        var files = new TestFileSystem();
        files.Before = o =>
        {
            if (o.Verb != FileVerb.Flush || files.Count(FileVerb.Flush) > 1)
                return;
            other.SaveAsync(Draft(TestState.Large(9), 4), default).AsTask().GetAwaiter().GetResult();
        };
        Store = new FolderStore(Root, files);
        Assert.Equal(CheckpointErrorKind.CheckpointExists, (await Assert.ThrowsAsync<CheckpointException>(() => Save(TestState.Large(1), 4))).Kind);
        TestState.AssertEqual(TestState.Large(9), await Restore(4));
        Assert.Single(Names(FolderEntryKind.Payload));
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Fact]
    public async Task The_next_step_goes_to_the_next_number_when_another_writer_takes_its_own()
    {
        var files = new TestFileSystem { LockAnswer = LockResult.Unsupported };
        var other = new FolderStore(Root, new TestFileSystem { LockAnswer = LockResult.Unsupported });
        var taken = 0;
        files.Before = o =>
        {
            if (o is not { Verb: FileVerb.RenameNew, Kind: FolderEntryKind.Record } || taken == 3)
                return;
            taken++;
            other.SaveAsync(Draft(TestState.Large(taken)), default).AsTask().GetAwaiter().GetResult();
        };
        Store = new FolderStore(Root, files);
        Assert.Equal(4, (await Save(TestState.Large(99))).Step);
        TestState.AssertEqual(TestState.Large(99), await Restore(4));
        for (var step = 1; step <= 3; step++)
            TestState.AssertEqual(TestState.Large(step), await Restore(step));
        Assert.Equal(4, Names(FolderEntryKind.Payload).Count);
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Overwrite_replaces_the_step_and_removes_its_old_payload(bool oldLarge, bool newLarge)
    {
        await Save(TestState.Large(5));
        await Save(oldLarge ? TestState.Large(1) : TestState.Small("old"));
        await Save(TestState.Large(6));
        var state = newLarge ? TestState.Large(2) : TestState.Small("new");
        var saved = await Save(state, 2, overwrite: true, savedAt: Noon.AddHours(1));
        Assert.Equal(2, saved.Step);
        Assert.Equal([3L, 2, 1], await Steps());
        TestState.AssertEqual(state, await Restore(2));
        TestState.AssertEqual(TestState.Large(5), await Restore(1));
        TestState.AssertEqual(TestState.Large(6), await Restore(3));
        Assert.Equal(Noon.AddHours(1), (await Store.ReadAsync(Stage, 2, default)).Info!.SavedAt);
        Assert.Equal(newLarge ? 3 : 2, Names(FolderEntryKind.Payload).Count);
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Fact]
    public async Task Overwrite_saves_a_step_that_is_not_there()
    {
        Assert.Equal(7, (await Save(TestState.Small("x"), 7, overwrite: true)).Step);
        Assert.Equal(8, (await Save(TestState.Small("y"), overwrite: true)).Step);
        TestState.AssertEqual(TestState.Small("x"), await Restore(7));
    }

    [Fact]
    public async Task Overwrite_replaces_a_damaged_step()
    {
        await Save(TestState.Large(1));
        await File.WriteAllTextAsync(RecordPath(1), "{");
        await Save(TestState.Large(2), 1, overwrite: true);
        TestState.AssertEqual(TestState.Large(2), await Restore(1));
    }

    [Fact]
    public async Task What_was_saved_is_what_is_read()
    {
        var parts = new Dictionary<string, byte[]> { ["a"] = FingerprintHash.Scalar("int32", "1"), ["b"] = FingerprintHash.Scalar("string", "x") };
        var file = new OutputFile(Path.Join(Temp.Path, "out", "a.csv"), 12, new DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.Zero).AddTicks(1_234_567), new string('a', 64));
        var draft = new CheckpointDraft
        {
            Stage = new StageId("Nightly Böat", "Run №7", "Ingest/1"),
            Step = 42,
            SavedAt = Noon.AddTicks(7_654_321),
            Fingerprint = FingerprintHash.Combine(parts),
            Metadata = new ReadOnlyDictionary<string, object?>(new Dictionary<string, object?> { ["loss"] = 0.25, ["Rows"] = 5L, ["none"] = null, ["tags"] = new object?[] { "a", 1 } }),
            Identity = new ReadOnlyDictionary<string, object?>(new Dictionary<string, object?> { ["model"] = "x" }),
            OutputFiles = new ReadOnlyCollection<OutputFile>([file]),
            State = TestState.Small("state"),
        };
        var saved = await Store.SaveAsync(draft, default);
        var read = (await new FolderStore(Root).ReadAsync(draft.Stage, 42, default)).Info!;
        var listed = Assert.Single(await List(new FolderStore(Root), new StageQuery { Pipeline = NamePattern.Any, Run = NamePattern.Any })).Newest.Info!;
        foreach (var info in new[] { saved, read, listed })
        {
            Assert.Equal(Root, info.Store);
            Assert.Equal("Nightly Böat", info.Pipeline);
            Assert.Equal("Run №7", info.Run);
            Assert.Equal("Ingest/1", info.Name);
            Assert.Equal(42, info.Step);
            Assert.Equal(CheckpointStatus.Completed, info.Status);
            Assert.Equal(Noon.AddTicks(7_654_321), info.SavedAt);
            Assert.Equal(TimeSpan.Zero, info.SavedAt.Offset);
            Assert.Equal(draft.Fingerprint.Value, info.Fingerprint!.Value);
            Assert.Equal(draft.Fingerprint.Parts, info.Fingerprint.Parts);
            Assert.Equal(["loss", "Rows", "none", "tags"], info.Metadata.Keys);
            Assert.Equal(0.25, info.Metadata["loss"]);
            Assert.Equal(5L, info.Metadata["Rows"]);
            Assert.Null(info.Metadata["none"]);
            Assert.Equal(new object?[] { "a", 1 }, Assert.IsAssignableFrom<IEnumerable<object?>>(info.Metadata["tags"]));
            Assert.Equal("x", info.Identity!["model"]);
            Assert.Equal(7, info.StateSize);
            Assert.False(info.Encrypted);
            var output = Assert.Single(info.OutputFiles);
            Assert.Equal((file.Path, file.Size, file.ModifiedAt, file.Sha256), (output.Path, output.Size, output.ModifiedAt, output.Sha256));
            Assert.Equal(Environment.MachineName, info.Host);
            Assert.Equal(Environment.UserName, info.User);
            Assert.Equal(Environment.ProcessId, info.ProcessId);
            Assert.Equal(Path.Join(FolderLayout.StagePath(Root, draft.Stage), "0000000042.json"), info.Location);
            Assert.True(File.Exists(info.Location));
        }
        Assert.Equal(5L, read.Metadata["rows"]);
    }

    [Fact]
    public async Task No_state_is_told_apart_from_a_state_of_null()
    {
        Assert.Null((await Save(step: 1)).StateSize);
        Assert.Equal(4, (await Save(new TestState("null"), 2)).StateSize);
        Assert.Null((await Store.ReadAsync(Stage, 1, default)).Info!.State);
        Assert.Equal(4, (await Store.ReadAsync(Stage, 2, default)).Info!.StateSize);
        Assert.Null(await Restore(1));
        TestState.AssertEqual(new TestState("null"), await Restore(2));
    }

    [Fact]
    public async Task Metadata_is_no_part_of_the_state()
    {
        await Save(new TestState("{\"a\":1}"), metadata: new() { ["a"] = 2, ["b"] = 3 });
        TestState.AssertEqual(new TestState("{\"a\":1}"), await Restore());
        Assert.Equal(2, (await Store.ReadAsync(Stage, 1, default)).Info!.Metadata["a"]);
    }

    [Fact]
    public async Task A_sequence_is_told_apart_from_a_list()
    {
        await Save(new TestState("[1]", isSequence: true));
        await Save(new TestState("[1]"));
        await Save(new TestState("[1]", new byte[5000], isSequence: true));
        Assert.True((await Restore(1))!.IsSequence);
        Assert.False((await Restore(2))!.IsSequence);
        Assert.True((await Restore(3))!.IsSequence);
    }

    [Fact]
    public async Task The_size_of_a_large_state_is_that_of_its_payload()
    {
        var saved = await Save(TestState.Large(1, 100_000));
        var payload = Path.Join(StageFolder, Assert.Single(Names(FolderEntryKind.Payload)));
        Assert.Equal(new FileInfo(payload).Length, saved.StateSize);
        Assert.True(saved.StateSize > 100_000);
        Assert.StartsWith("0000000001.", Path.GetFileName(payload), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_small_state_lies_readable_inside_the_record()
    {
        await Save(new TestState("{\"größe\":[1,2,3]}"));
        Assert.Contains("{\"größe\":[1,2,3]}", await File.ReadAllTextAsync(RecordPath(1)), StringComparison.Ordinal);
        Assert.Empty(Names(FolderEntryKind.Payload));
    }

    [Fact]
    public async Task Names_that_differ_only_in_case_or_normal_form_are_one_stage_and_the_case_last_saved_is_kept()
    {
        Assert.Equal(1, (await Save(stage: new StageId("Nightly", "R", "caf\u00e9 Σ"))).Step);
        var last = await Save(stage: new StageId("NIGHTLY", "r", "CAFE\u0301 ς"));
        Assert.Equal(2, last.Step);
        Assert.Equal("CAF\u00c9 ς", last.Name);
        var found = Assert.Single(await List(Store, new StageQuery { Pipeline = NamePattern.Any, Run = NamePattern.Any }));
        Assert.Equal(("NIGHTLY", "r", "CAF\u00c9 ς"), (found.Stage.Pipeline, found.Stage.Run, found.Stage.Name));
        Assert.Equal([2L, 1], found.Steps);
        Assert.Equal("caf\u00e9 Σ", (await Store.ReadAsync(new StageId("nightly", "R", "CAFÉ σ"), 1, default)).Info!.Name);
    }

    [Fact]
    public async Task A_stage_of_a_run_is_not_the_stage_of_no_run()
    {
        var inRun = new StageId("nightly", "7", "ingest");
        await Save(TestState.Small("none"));
        await Save(TestState.Small("7"), stage: inRun);
        TestState.AssertEqual(TestState.Small("none"), await Restore());
        TestState.AssertEqual(TestState.Small("7"), await Restore(stage: inRun));
        Assert.Null((await Store.ReadAsync(new StageId("nightly", "8", "ingest"), 1, default)).Info);
        Assert.Null(await Store.FindAsync(new StageId("default", null, "ingest"), default));
    }

    [Fact]
    public async Task Hostile_names_are_ordinary_names_and_do_not_leave_the_store()
    {
        string[] names = ["../../x", "..", ".", "/", "a/b", @"a\b", "CON", "con.txt", "nul", "COM¹", "a.", " a", "a ", "~", "%41", "*?", "a:b", "~lock", "stages", "runs", string.Concat(Enumerable.Repeat("😀", 200)), new('x', 200)];
        foreach (var name in names)
        {
            var stage = new StageId(name, name, name);
            Assert.Equal(1, (await Save(TestState.Large(name.Length), stage: stage)).Step);
            TestState.AssertEqual(TestState.Large(name.Length), await Restore(stage: stage));
        }
        Assert.Equal(["store"], Directory.EnumerateFileSystemEntries(Temp.Path).Select(Path.GetFileName));
        var listed = await List(Store, new StageQuery { Pipeline = NamePattern.Any, Run = NamePattern.Any });
        Assert.Equal(names.Order(StringComparer.Ordinal), listed.Select(l => l.Stage.Name).Order(StringComparer.Ordinal));
        Assert.All(listed, l => Assert.NotNull(l.Newest.Info));
        foreach (var stage in listed)
            Assert.Equal(1, await Store.RemoveAsync(stage.Stage, null, default));
        Assert.Empty(Temp.Files());
    }

    [Fact]
    public async Task Progress_tells_the_bytes_of_the_payload_as_they_are_written()
    {
        var told = new List<long>();
        var saved = await Store.SaveAsync(new CheckpointDraft { Stage = Stage, SavedAt = Noon, State = TestState.Large(1, 5_000_000), Progress = told.Add }, default);
        Assert.True(told.Count > 3);
        Assert.Equal(told.Order(), told);
        Assert.Equal(saved.StateSize, told[^1]);
    }

    [Fact]
    public async Task A_save_that_is_cancelled_before_it_begins_saves_nothing()
    {
        foreach (var state in new[] { null, TestState.Small("x"), TestState.Large(1) })
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.SaveAsync(Draft(state), new CancellationToken(true)));
        Assert.Empty(Temp.Files());
    }

    [Fact]
    public async Task A_save_that_is_cancelled_while_it_writes_leaves_the_store_as_it_was()
    {
        await Save(TestState.Large(1));
        var before = Temp.Files();
        using var source = new CancellationTokenSource();
        var draft = new CheckpointDraft { Stage = Stage, SavedAt = Noon, State = TestState.Large(2, 8_000_000), Progress = _ => source.Cancel() };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.SaveAsync(draft, source.Token));
        Assert.Equal(before, Temp.Files());
    }

    [Theory]
    [InlineData(FileVerb.CreateFile)]
    [InlineData(FileVerb.Write)]
    [InlineData(FileVerb.Flush)]
    [InlineData(FileVerb.OpenDirectory)]
    [InlineData(FileVerb.LockDirectory)]
    [InlineData(FileVerb.Scan)]
    [InlineData(FileVerb.RenameNew)]
    [InlineData(FileVerb.FlushDirectory)]
    public async Task A_save_that_is_cancelled_at_any_time_is_saved_in_full_or_not_at_all(FileVerb verb)
    {
        for (var time = 1; time <= 2; time++)
        {
            foreach (var state in new[] { TestState.Small("new"), TestState.Large(2) })
            {
                var root = Path.Join(Temp.Path, $"{verb} {time} {state.Blob.Length}");
                await new FolderStore(root, new TestFileSystem()).SaveAsync(Draft(TestState.Large(1)), default);
                using var source = new CancellationTokenSource();
                var files = new TestFileSystem();
                files.Before = o =>
                {
                    if (o.Verb == verb && files.Count(verb) == time)
                        source.Cancel();
                };
                var isSaved = true;
                try
                {
                    await new FolderStore(root, files).SaveAsync(Draft(state), source.Token);
                }
                catch (OperationCanceledException)
                {
                    isSaved = false;
                }
                var store = new FolderStore(root);
                Assert.Equal(isSaved ? [2L, 1] : [1L], (await store.FindAsync(Stage, default))!.Steps);
                TestState.AssertEqual(isSaved ? state : TestState.Large(1), await Restore(store));
                Assert.DoesNotContain(Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories), f => f.EndsWith(FolderLayout.TemporarySuffix, StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public async Task A_state_that_cannot_be_written_leaves_nothing_behind()
    {
        foreach (var before in new[] { 0, 200_000 })
            await Assert.ThrowsAsync<NotSupportedException>(async () => await Store.SaveAsync(Draft(new BrokenState(before)), default));
        Assert.Empty(Temp.Files());
    }

    [Fact]
    public async Task A_record_that_would_be_too_long_to_read_is_not_written()
    {
        var draft = Draft(TestState.Large(1), metadata: new() { ["text"] = new string('x', RecordFormat.MaxLength) });
        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await new CheckpointEngine(Store).SaveAsync(draft, new RetentionPolicy(), default));
        Assert.Equal(CheckpointErrorKind.StateNotSerializable, error.Kind);
        Assert.Contains("metadata", error.Message, StringComparison.Ordinal);
        Assert.Empty(Temp.Files());

        draft = new CheckpointDraft
        {
            Stage = Stage,
            SavedAt = draft.SavedAt,
            Fingerprint = FingerprintHash.Combine(new Dictionary<string, byte[]> { [new string('x', RecordFormat.MaxLength)] = FingerprintHash.Bytes([]) }),
            Metadata = new(new Dictionary<string, object?> { ["small"] = 1 }),
        };
        error = await Assert.ThrowsAsync<CheckpointException>(async () => await new CheckpointEngine(Store).SaveAsync(draft, new RetentionPolicy(), default));
        Assert.Contains(": fingerprint cannot be kept", error.Message, StringComparison.Ordinal);

        await Save(metadata: new() { ["text"] = new string('x', RecordFormat.MaxLength - 1000) });
        Assert.Equal(RecordFormat.MaxLength - 1000, ((string)(await Store.ReadAsync(Stage, 1, default)).Info!.Metadata["text"]!).Length);
    }

    [Theory]
    [InlineData("store")]
    [InlineData("store/nightly")]
    [InlineData("store/nightly/stages")]
    [InlineData("store/nightly/stages/ingest")]
    public async Task A_file_where_a_folder_should_be_is_an_error_that_names_the_store_and_leaves_the_file(string file)
    {
        var path = Temp.Write(file, "mine");
        foreach (var state in new[] { TestState.Small("x"), TestState.Large(1) })
        {
            var error = await Assert.ThrowsAsync<CheckpointException>(() => Save(state));
            Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
            Assert.Contains(Root, error.Message, StringComparison.Ordinal);
        }
        Assert.Equal("mine", await File.ReadAllTextAsync(path));
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public async Task Files_and_folders_are_for_their_owner_alone()
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2), 1, overwrite: true);
        Assert.All(Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories), f =>
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        Assert.All(Directory.EnumerateDirectories(Root, "*", SearchOption.AllDirectories).Append(Root), f =>
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(f)));
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_file_being_written_is_for_its_owner_alone_too()
    {
        var modes = new List<UnixFileMode>();
        var files = new TestFileSystem();
        files.Before = o =>
        {
            if (o.Verb is FileVerb.Write)
                modes.Add(File.GetUnixFileMode(o.Path));
        };
        Store = new FolderStore(Root, files);
        await Save(TestState.Large(1));
        Assert.NotEmpty(modes);
        Assert.All(modes, m => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, m));
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public async Task The_rights_of_a_folder_that_was_there_are_left_as_they_are()
    {
        const UnixFileMode Shared = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;
        Directory.CreateDirectory(Root);
        File.SetUnixFileMode(Root, Shared);
        await Save();
        Assert.Equal(Shared, File.GetUnixFileMode(Root));
    }

    [Fact]
    public async Task Reads_that_give_a_few_bytes_at_a_time_are_no_damage()
    {
        var store = new FolderStore(Root, new TestFileSystem { MaxRead = 7 });
        await store.SaveAsync(Draft(TestState.Large(1)), default);
        await store.SaveAsync(Draft(TestState.Large(2), 1, overwrite: true), default);
        TestState.AssertEqual(TestState.Large(2), await Restore(store));
        Assert.NotNull((await store.ReadAsync(Stage, 1, default)).Info);
    }

    [Fact]
    public async Task A_separator_at_the_end_of_the_path_says_nothing()
    {
        await Save(TestState.Small("x"));
        var store = new FolderStore(Root + Path.DirectorySeparatorChar);
        Assert.Equal(Root, store.Location);
        TestState.AssertEqual(TestState.Small("x"), await Restore(store));
        await store.RemoveAsync(Stage, null, default);
        Assert.True(Directory.Exists(Root));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_there_are_no_locks_or_their_holder_hangs_saves_and_overwrites_go_on(bool isBusy)
    {
        Store = new FolderStore(Root, new TestFileSystem { LockAnswer = isBusy ? LockResult.Busy : LockResult.Unsupported, LocksOutlastRenamesAnswer = true });
        await Save(TestState.Large(1));
        await Save(TestState.Large(2));
        await Save(TestState.Large(3), 1, overwrite: true);
        TestState.AssertEqual(TestState.Large(3), await Restore(1));
        TestState.AssertEqual(TestState.Large(2), await Restore(2));
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Fact]
    public async Task Where_a_lock_ends_with_a_rename_only_a_save_with_a_payload_needs_that_of_the_stage()
    {
        await Save(TestState.Large(1));
        Store = new FolderStore(Root, new TestFileSystem { LockAnswer = LockResult.Busy, LocksOutlastRenamesAnswer = false });
        Assert.Equal(2, (await Save(TestState.Small("x"))).Step);
        Assert.Equal(3, (await Save()).Step);
        var error = await Assert.ThrowsAsync<CheckpointException>(() => Save(TestState.Large(4)));
        Assert.Contains("busy", error.Message, StringComparison.Ordinal);
        Assert.Equal([3L, 2, 1], await Steps());
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_folder_with_the_name_of_the_next_record_is_passed_by(bool large)
    {
        var state = large ? TestState.Large(1) : TestState.Small("x");
        foreach (var step in new[] { 1L, 2, 4 })
            Directory.CreateDirectory(RecordPath(step));
        Assert.Equal(3, (await Save(state)).Step);
        Assert.Equal(5, (await Save(state)).Step);
        Assert.Equal([5L, 3], await Steps());
        Assert.All(new[] { 1L, 2, 4 }, step => Assert.True(Directory.Exists(RecordPath(step))));
        Assert.Empty(Names(FolderEntryKind.Temporary));
        Assert.Equal(large ? 2 : 0, Names(FolderEntryKind.Payload).Count);
        TestState.AssertEqual(state, await Restore());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_folder_with_the_name_of_the_step_that_is_saved_is_an_error_that_says_so(bool overwrite)
    {
        Directory.CreateDirectory(RecordPath(3));
        var error = await Assert.ThrowsAsync<CheckpointException>(() => Save(TestState.Small("x"), 3, overwrite));
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
        foreach (var part in new[] { RecordPath(3), "is a folder", "'ingest'" })
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Fact]
    public async Task A_name_that_is_taken_in_another_casing_is_passed_by_where_the_file_system_ignores_case()
    {
        Temp.Write("store/nightly/stages/ingest/0000000001.JSON", "mine");
        var isTaken = File.Exists(RecordPath(1));
        Assert.Equal(isTaken ? 2 : 1, (await Save(TestState.Small("x"))).Step);
        Assert.Contains("mine", Temp.Files().Values.Select(System.Text.Encoding.UTF8.GetString));
        TestState.AssertEqual(TestState.Small("x"), await Restore());
    }

    [UnixFact]
    public async Task A_pipe_or_a_link_to_nothing_with_the_name_of_a_record_counts_as_a_step()
    {
        await Save(TestState.Small("x"));
        using (var process = System.Diagnostics.Process.Start("mkfifo", [RecordPath(2)]))
            process.WaitForExit();
        File.CreateSymbolicLink(RecordPath(3), Path.Join(Temp.Path, "nothing"));
        Assert.Equal(4, (await Save(TestState.Small("y"))).Step);
        TestState.AssertEqual(TestState.Small("y"), await Restore());
    }

    private sealed class BrokenState(int before) : IStateSource
    {
        public bool IsSequence => false;

        public void WriteTo(StateWriter writer, CancellationToken cancellation)
        {
            for (var written = 0; written < before; written += 1000)
            {
                writer.GetSpan(1000)[..1000].Fill((byte)' ');
                writer.Advance(1000);
            }
            throw new NotSupportedException("broken");
        }
    }
}
