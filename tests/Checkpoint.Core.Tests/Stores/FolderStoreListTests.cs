namespace Checkpoint.Tests;

public sealed class FolderStoreListTests : StoreTest
{
    private static readonly string LongA = "a" + new string('x', 150);
    private static readonly string LongB = "b" + new string('x', 150);

    [Fact]
    public async Task A_stage_that_cannot_be_read_does_not_hide_the_others()
    {
        foreach (var name in new[] { "a", "b", "c" })
            await Save(stage: new StageId("nightly", null, name));
        var files = new TestFileSystem();
        files.Before = o =>
        {
            if (o.Path.Contains("/b", StringComparison.Ordinal) || o.Path.Contains(@"\b", StringComparison.Ordinal))
                throw Fault.AccessDenied.Make();
        };
        var store = new FolderStore(Root, files);
        var found = await List(store, new StageQuery { Pipeline = NamePattern.Any });
        Assert.Equal(["a", "b", "c"], found.Select(s => s.Stage.Name));
        Assert.Equal(CheckpointErrorKind.StoreAccessDenied, found[1].Newest.Fault!.Kind);
        var readings = new List<CheckpointReading>();
        await foreach (var reading in new CheckpointEngine(store).FindAsync(new StageQuery { Pipeline = NamePattern.Any }, null, allSteps: false, default))
            readings.Add(reading);
        Assert.Equal(["a", null, "c"], readings.Select(r => r.Info?.Name));
    }

    [Fact]
    public async Task Every_stage_is_listed_once_with_all_its_steps()
    {
        await Save(stage: new StageId("p", null, "a"));
        await Save(stage: new StageId("p", null, "a"));
        await Save(stage: new StageId("p", null, "b"));
        await Save(stage: new StageId("q", null, "a"));
        await Save(stage: new StageId("p", "1", "a"));
        Assert.Equal(["p//a [2,1]", "p//b [1]", "q//a [1]"], await Listed(new StageQuery { Pipeline = NamePattern.Any }));
        Assert.Equal(["p/1/a [1]"], await Listed(new StageQuery { Pipeline = NamePattern.Any, Run = NamePattern.Any }));
        Assert.Equal(["p//a [2,1]", "p//b [1]"], await Listed(new StageQuery { Pipeline = NamePattern.Of("P") }));
        Assert.Equal(["p//a [2,1]", "q//a [1]"], await Listed(new StageQuery { Pipeline = NamePattern.Any, Name = NamePattern.Of("A") }));
        Assert.Equal(["p/1/a [1]"], await Listed(new StageQuery { Pipeline = NamePattern.Of("p"), Run = NamePattern.Of("1"), Name = NamePattern.Of("a") }));
        Assert.Empty(await Listed(new StageQuery { Pipeline = NamePattern.Of("p"), Run = NamePattern.Of("2") }));
        Assert.Empty(await Listed(new StageQuery { Pipeline = NamePattern.Of("p"), Name = NamePattern.Of("c") }));
    }

    [Fact]
    public async Task Stages_are_listed_in_the_order_of_their_keys()
    {
        string[] names = ["b", "A", "a~", "ab", "a!", "a b", "Ä", "z", "😀", "0", "a.", "Ж"];
        foreach (var name in names)
            await Save(stage: new StageId("p", null, name));
        foreach (var name in new[] { "10", "9", "~" })
            await Save(stage: new StageId("p", name, "x"));
        Assert.Equal(names.OrderBy(CheckpointNames.Key, StringComparer.Ordinal), (await List(Store, new StageQuery { Pipeline = NamePattern.Any })).Select(s => s.Stage.Name));
        Assert.Equal(["10", "9", "~"], (await List(Store, new StageQuery { Pipeline = NamePattern.Any, Run = NamePattern.Any })).Select(s => s.Stage.Run!));
    }

    [Fact]
    public async Task A_pattern_is_matched_against_the_whole_name_also_where_the_folders_name_is_cut()
    {
        foreach (var pipeline in new[] { LongA, LongB, "short" })
        {
            foreach (var name in new[] { LongA, LongB, "short" })
            {
                await Save(stage: new StageId(pipeline, null, name));
                await Save(stage: new StageId(pipeline, LongA, name));
            }
        }
        foreach (var run in new[] { null, EndsWith("x") })
        {
            Assert.Equal(9, (await Listed(new StageQuery { Pipeline = NamePattern.Any, Run = run })).Count);
            Assert.All(await List(Store, new StageQuery { Pipeline = StartsWith("b"), Run = run }), s => Assert.Equal(LongB, s.Stage.Pipeline));
            Assert.Equal(3, (await Listed(new StageQuery { Pipeline = StartsWith("b"), Run = run })).Count);
            Assert.Equal(6, (await Listed(new StageQuery { Pipeline = NamePattern.Any, Run = run, Name = EndsWith("xx") })).Count);
            Assert.Equal(3, (await Listed(new StageQuery { Pipeline = NamePattern.Any, Run = run, Name = NamePattern.Of(LongA) })).Count);
            Assert.Single(await Listed(new StageQuery { Pipeline = NamePattern.Of(LongA), Run = run, Name = EndsWith("rt") }));
            Assert.Empty(await Listed(new StageQuery { Pipeline = EndsWith("nothing"), Run = run }));
        }
        Assert.Empty(await Listed(new StageQuery { Pipeline = NamePattern.Any, Run = StartsWith("b") }));
    }

    [Fact]
    public async Task A_stage_whose_records_are_all_damaged_is_listed_and_can_be_removed()
    {
        foreach (var name in new[] { "plain", "With: signs", LongA })
        {
            var stage = new StageId("p", null, name);
            await Save(TestState.Large(1), stage: stage);
            await File.WriteAllTextAsync(Path.Join(FolderLayout.StagePath(Root, stage), FolderLayout.RecordName(1)), "");
        }
        var listed = await List(Store, new StageQuery { Pipeline = NamePattern.Any });
        Assert.Equal(3, listed.Count);
        Assert.Contains(listed, s => s.Stage.Name == "plain");
        Assert.Contains(listed, s => s.Stage.Name == "with: signs");
        Assert.All(listed, s => Assert.Equal(CheckpointErrorKind.CheckpointDamaged, s.Newest.Fault!.Kind));
        Assert.Single(await Listed(new StageQuery { Pipeline = NamePattern.Any, Name = NamePattern.Of(LongA) }));

        foreach (var stage in listed)
            Assert.Equal(1, await Store.RemoveAsync(stage.Stage, null, default));
        Assert.Empty(Directory.EnumerateDirectories(Root));
    }

    [Fact]
    public async Task A_cut_name_is_told_by_any_intact_record()
    {
        var stage = new StageId("p", null, LongA);
        await Save(stage: stage);
        await Save(stage: stage);
        await File.WriteAllTextAsync(Path.Join(FolderLayout.StagePath(Root, stage), FolderLayout.RecordName(2)), "");
        var listed = Assert.Single(await List(Store, new StageQuery { Pipeline = NamePattern.Any, Name = StartsWith("axx") }));
        Assert.Equal(LongA, listed.Stage.Name);
    }

    [Fact]
    public async Task Folders_and_files_that_are_not_ours_are_passed_over()
    {
        await Save(stage: new StageId("p", "7", "a"));
        await Save(stage: new StageId("p", null, "a"));
        foreach (var parent in new[] { "", "p", "p/stages", "p/runs", "p/runs/7", "p/runs/7/stages" })
        {
            foreach (var name in new[] { "Foreign", "~x", "a%zz", "%41", new string('y', 220), "con", "no/t/ours", ".git", "empty" })
                Directory.CreateDirectory(Path.Join(Root, parent, name));
            await File.WriteAllTextAsync(Path.Join(Root, parent, "file.txt"), "mine");
            await File.WriteAllTextAsync(Path.Join(Root, parent, "plain"), "mine");
        }
        if (!OperatingSystem.IsWindows())
            Directory.CreateDirectory(Path.Join(Root, "p", "stages", "line\nbreak"));
        Directory.CreateDirectory(Path.Join(Root, "p", "stages", "Foreign", "stages"));
        File.Copy(Path.Join(Root, "p", "stages", "a", FolderLayout.RecordName(1)), Path.Join(Root, "p", "stages", "Foreign", FolderLayout.RecordName(1)));
        Assert.Equal(["p//a [1]"], await Listed(new StageQuery { Pipeline = NamePattern.Any }));
        Assert.Equal(["p/7/a [1]"], await Listed(new StageQuery { Pipeline = NamePattern.Any, Run = NamePattern.Any }));
        Assert.Equal(["p//a [1]"], await Listed(new StageQuery { Pipeline = StartsWith("p"), Name = StartsWith("a") }));
    }

    [Fact]
    public async Task A_stage_whose_folder_the_file_system_tells_in_another_form_is_listed_and_can_be_cleared()
    {
        var stage = new StageId("Nächtlich", "é", "Übung ☃");
        await Save(TestState.Large(1), stage: stage);
        Store = new FolderStore(Root, new TestFileSystem { ScannedAs = name => name.Normalize(System.Text.NormalizationForm.FormD) });
        var listed = Assert.Single(await List(Store, new StageQuery { Pipeline = NamePattern.Any, Run = NamePattern.Any }));
        Assert.Equal(stage.Name, listed.Stage.Name);
        Assert.NotNull(listed.Newest.Info);
        Assert.Equal(1, await Store.RemoveAsync(listed.Stage, null, default));
    }

    [Fact]
    public async Task A_folder_in_another_form_beside_the_right_one_is_not_it_nor_is_one_whose_name_is_no_text()
    {
        await Save(stage: new StageId("p", null, "é"));
        Directory.CreateDirectory(Path.Join(Root, "p", "stages", "e\u0301"));
        Store = new FolderStore(Root, new TestFileSystem { ScannedAs = name => name == "x" ? "\ud800" : name });
        Directory.CreateDirectory(Path.Join(Root, "p", "stages", "x"));
        Assert.Equal(["p//é [1]"], await Listed(new StageQuery { Pipeline = NamePattern.Any }));
    }

    [Fact]
    public async Task A_listing_can_be_cancelled_between_two_stages()
    {
        for (var i = 0; i < 3; i++)
            await Save(stage: new StageId("p", null, $"s{i}"));
        using var source = new CancellationTokenSource();
        var seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in Store.ListAsync(new StageQuery { Pipeline = NamePattern.Any }, source.Token))
            {
                seen++;
                await source.CancelAsync();
            }
        });
        Assert.Equal(1, seen);
    }

    [Fact]
    public void A_name_pattern_compares_as_names_are_compared()
    {
        Assert.True(NamePattern.Any.IsMatch("x"));
        Assert.True(NamePattern.Any.IsAny);
        Assert.True(NamePattern.Of("Ingest").IsMatch("INGEST"));
        Assert.False(NamePattern.Of("Ingest").IsMatch("ingest2"));
        Assert.Equal("Ingest", NamePattern.Of("Ingest").Literal);
        Assert.Null(StartsWith("i").Literal);
        Assert.False(StartsWith("i").IsAny);
        Assert.True(StartsWith("i").IsMatch("INGEST"));
    }

    [UnixFact]
    public async Task A_store_may_be_reached_through_a_link_but_nothing_in_it()
    {
        await Save(TestState.Large(1));
        var link = Path.Join(Temp.Path, "link");
        Directory.CreateSymbolicLink(link, Root);
        TestState.AssertEqual(TestState.Large(1), await Restore(new FolderStore(link)));

        var record = Path.Join(Temp.Path, "record.json");
        await Save(TestState.Large(2));
        File.Move(RecordPath(2), record);
        File.CreateSymbolicLink(RecordPath(2), record);
        Assert.Contains("is a link", (await FailsAsync(CheckpointErrorKind.CheckpointDamaged, () => Restore(2))).Message);

        var moved = Path.Join(Temp.Path, "moved");
        Directory.Move(StageFolder, moved);
        Directory.CreateSymbolicLink(StageFolder, moved);
        Assert.Empty(await Listed(new StageQuery { Pipeline = NamePattern.Any }));
        Assert.Contains("is a link", (await FailsAsync(CheckpointErrorKind.StoreUnavailable, () => Restore())).Message);
        Assert.Contains("is a link", (await FailsAsync(CheckpointErrorKind.StoreUnavailable, () => Save(TestState.Large(3)))).Message);
    }

    private static async Task<CheckpointException> FailsAsync(CheckpointErrorKind kind, Func<Task> work)
    {
        var error = await Assert.ThrowsAsync<CheckpointException>(work);
        Assert.Equal(kind, error.Kind);
        return error;
    }

    private static NamePattern StartsWith(string text) => NamePattern.Where(n => n.StartsWith(text, StringComparison.OrdinalIgnoreCase));

    private static NamePattern EndsWith(string text) => NamePattern.Where(n => n.EndsWith(text, StringComparison.OrdinalIgnoreCase));

    private async Task<List<string>> Listed(StageQuery query) =>
        (await List(Store, query)).ConvertAll(s => $"{s.Stage.Pipeline}/{s.Stage.Run}/{s.Stage.Name} [{string.Join(',', s.Steps)}]");
}
