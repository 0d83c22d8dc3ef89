using System.Collections.ObjectModel;

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
}
