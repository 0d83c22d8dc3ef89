using System.Runtime.Versioning;

namespace Checkpoint.Tests;

public class StoreVerifierTests : IntegrityTest
{
    private const string InStage = "nightly/stages/ingest/";

    [Fact]
    public async Task A_store_that_is_whole_has_no_finding()
    {
        await Fill();

        Assert.Empty(await Verify());
    }

    [Fact]
    public async Task A_store_that_is_not_there_has_none_and_is_not_made()
    {
        Assert.Empty(await Verify());
        Assert.False(Directory.Exists(Root));
    }

    [Fact]
    public async Task Every_byte_of_a_record_and_its_payload_counts()
    {
        await Fill();
        foreach (var path in new[] { RecordPath(1), RecordPath(2), PayloadPath })
        {
            var whole = await File.ReadAllBytesAsync(path);
            for (var at = 0; at < whole.Length; at += Math.Max(1, whole.Length / 60))
            {
                Flip(path, at);
                var found = Assert.Single(await Find());
                Assert.Equal((FindingSeverity.Error, path == PayloadPath ? StoreFindingKind.DamagedPayload : StoreFindingKind.DamagedRecord, path), (found.Severity, found.Kind, found.Location));
                Assert.Equal(("nightly", null, "ingest", path == RecordPath(1) ? 1 : 2L), (found.Pipeline, found.Run, found.Name, found.Step!.Value));
                await File.WriteAllBytesAsync(path, whole);
            }
            await File.WriteAllBytesAsync(path, whole[..^1]);
            Assert.Single(await Verify());
            await File.WriteAllBytesAsync(path, [.. whole, 0]);
            Assert.Single(await Verify());
            await File.WriteAllBytesAsync(path, whole);
        }
        Assert.Empty(await Verify());
    }

    [Fact]
    public async Task A_payload_that_is_missing_is_found()
    {
        await Fill();
        var name = Path.GetFileName(PayloadPath);
        File.Delete(PayloadPath);

        Assert.Equal([$"Error DamagedPayload {InStage}{name}"], await Verify());
    }

    [Theory]
    [InlineData("\"one\"", "{\"$no.such.type\":\"1\"}")]
    [InlineData("\"one\"", "{\"$int32\":\"x\"}")]
    [InlineData("\"one\"", "{\"$list<int32>\":{\"blob\":[0,4]}}")]
    public async Task A_state_that_is_none_is_found_though_its_checksums_are_right(string from, string to)
    {
        await Fill();
        Reseal(RecordPath(1), text => text.Replace(from, to, StringComparison.Ordinal));

        Assert.Equal([$"Error UndecodableState {InStage}0000000001.json"], await Verify());
    }

    [Fact]
    public async Task A_copy_of_a_record_in_another_place_is_found()
    {
        await Fill();
        File.Copy(RecordPath(1), RecordPath(3));
        Directory.CreateDirectory(Path.Join(PipelineFolder, "stages", "other"));
        File.Copy(RecordPath(1), Path.Join(PipelineFolder, "stages", "other", "0000000001.json"));
        Own();

        Assert.Equal([$"Error Misplaced {InStage}0000000003.json", "Error Misplaced nightly/stages/other/0000000001.json"], await Verify());
    }

    [Fact]
    public async Task A_record_cannot_name_a_payload_outside_its_folder()
    {
        await Fill();
        await File.WriteAllTextAsync(Path.Join(Temp.Path, "secret"), "x");
        Reseal(RecordPath(2), text => text.Replace(Path.GetFileName(PayloadPath), "../../../../secret", StringComparison.Ordinal));

        Assert.Contains($"Error DamagedRecord {InStage}0000000002.json", await Verify());
    }

    [Fact]
    public async Task What_a_newer_version_wrote_is_no_damage()
    {
        await Fill();
        foreach (var path in new[] { RecordPath(1), Path.Join(RunFolder, "run.json"), BreakerPath })
            Reseal(path, text => text.Replace("\"format\": 1", "\"format\": 9", StringComparison.Ordinal));

        Assert.Equal(["Warning FormatTooNew nightly/breakers/api.json", "Warning FormatTooNew nightly/runs/r1/run.json", $"Warning FormatTooNew {InStage}0000000001.json"], (await Verify()).Order());
    }

    [Fact]
    public async Task Damage_of_runs_breakers_and_locks_is_found()
    {
        await Fill();
        Flip(Path.Join(RunFolder, "run.json"));
        Flip(BreakerPath);
        await File.WriteAllTextAsync(Path.Join(PipelineFolder, "leases", "ingest.lock"), "x");

        Assert.Equal(["Error DamagedBreaker nightly/breakers/api.json", "Error DamagedRun nightly/runs/r1/run.json", "Warning DamagedLock nightly/leases/ingest.lock"], (await Verify()).Order());
    }

    [Fact]
    public async Task Every_line_of_a_journal_and_every_output_counts()
    {
        await Fill();
        var journal = await File.ReadAllBytesAsync(JournalPath);
        for (var at = 0; at < journal.Length - 1; at += 3)
        {
            // A line that lost its last byte looks like one that a crash cut off.
            if (journal[at + 1] == '\n' || journal[at] == '\n')
                continue;
            Flip(JournalPath, at);
            Assert.Equal([$"Error DamagedJournal {InStage}items.jsonl"], await Verify());
            await File.WriteAllBytesAsync(JournalPath, journal);
        }
        Flip(OutputsPath);
        var found = Assert.Single(await Find());
        Assert.Equal(StoreFindingKind.DamagedJournal, found.Kind);
        Assert.Contains("line 3 ", found.Message, StringComparison.Ordinal);
        File.Delete(OutputsPath);
        Assert.Equal([$"Error DamagedJournal {InStage}items.jsonl"], await Verify());
    }

    [Fact]
    public async Task A_torn_line_is_no_damage_wherever_it_stands()
    {
        await Fill();
        await File.WriteAllTextAsync(JournalPath, await File.ReadAllTextAsync(JournalPath) + "{\"crc\":\"00");
        await File.WriteAllTextAsync(HistoryPath, "{\"time\":\"20\n" + await File.ReadAllTextAsync(HistoryPath) + "{\"time\":\"2026");

        Assert.Equal(["Information TornLine nightly/history.jsonl", $"Information TornLine {InStage}items.jsonl"], (await Verify()).Order());
    }

    [Fact]
    public async Task A_last_line_of_items_that_is_being_written_is_no_finding()
    {
        await Fill();
        using var lease = (await Store.TryLeaseAsync(new LeaseName(Stage), LeaseHolder.Self(TimeProvider.System), default)).Lease;
        await File.WriteAllTextAsync(JournalPath, await File.ReadAllTextAsync(JournalPath) + "{\"crc\":\"00");

        Assert.Empty(await Verify());
    }

    [Fact]
    public async Task A_journal_of_another_stage_is_found()
    {
        await Fill();
        var other = FolderLayout.StagePath(Root, new StageId("nightly", null, "other"));
        Directory.CreateDirectory(other);
        File.Copy(JournalPath, Path.Join(other, "items.jsonl"));
        File.Copy(OutputsPath, Path.Join(other, "items.outputs"));
        Own();

        Assert.Equal(["Error Misplaced nightly/stages/other/items.jsonl"], await Verify());
    }

    [Fact]
    public async Task What_cut_off_saves_left_is_told_and_what_is_being_saved_is_not()
    {
        await Fill();
        foreach (var name in new[] { FolderLayout.NewTemporaryName(), FolderLayout.NewPayloadName(2), FolderLayout.NewPayloadName(7) })
            FileSystem.Current.CreateFile(Path.Join(StageFolder, name)).Dispose();
        FileSystem.Current.CreateFile(Path.Join(RunFolder, FolderLayout.NewTemporaryName())).Dispose();
        using var living = FileSystem.Current.CreateFile(Path.Join(StageFolder, FolderLayout.NewTemporaryName()));
        using var saving = FileSystem.Current.CreateFile(Path.Join(StageFolder, FolderLayout.NewPayloadName(3)));

        var found = await Find();

        Assert.All(found, f => Assert.Equal((FindingSeverity.Information, StoreFindingKind.Leftover), (f.Severity, f.Kind)));
        Assert.Equal(4, found.Count);
    }

    [Fact]
    public async Task What_is_foreign_is_told_and_not_read()
    {
        await Fill();
        await File.WriteAllTextAsync(Path.Join(Root, "README.md"), "x");
        Directory.CreateDirectory(Path.Join(PipelineFolder, "mine"));
        await File.WriteAllTextAsync(Path.Join(PipelineFolder, "mine", "0000000001.json"), "x");
        await File.WriteAllTextAsync(Path.Join(StageFolder, "note.txt"), "x");
        Directory.CreateDirectory(Path.Join(StageFolder, "0000000009.json"));
        Directory.CreateDirectory(Path.Join(Root, "~later"));

        Assert.Equal(["README.md", "nightly/mine", $"{InStage}0000000009.json", $"{InStage}note.txt"],
            (await Verify()).Where(f => f.StartsWith("Information Foreign ", StringComparison.Ordinal)).Select(f => f.Split(' ')[2]).Order(StringComparer.Ordinal));
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public async Task Links_pipes_and_wide_rights_are_found_and_nothing_outside_is_read()
    {
        await Fill();
        var outside = Directory.CreateDirectory(Path.Join(Temp.Path, "outside")).FullName;
        Directory.Move(StageFolder, Path.Join(outside, "ingest"));
        Directory.CreateSymbolicLink(StageFolder, Path.Join(outside, "ingest"));
        File.Move(HistoryPath, Path.Join(outside, "history"));
        File.CreateSymbolicLink(HistoryPath, Path.Join(outside, "history"));
        var inRun = FolderLayout.StagePath(Root, InRun);
        using (var made = System.Diagnostics.Process.Start("mkfifo", Path.Join(inRun, "0000000002.json")))
            await made.WaitForExitAsync();
        File.SetUnixFileMode(Path.Join(RunFolder, "run.json"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var files = new TestFileSystem();
        Store = new FolderStore(Root, files);

        var found = (await Verify()).ToList();

        Assert.Contains("Error NotAFile nightly/history.jsonl", found);
        Assert.Contains("Error NotAFile nightly/stages/ingest", found);
        Assert.Contains("Error NotAFile nightly/runs/r1/stages/größe%2F1/0000000002.json", found.Select(f => f.Replace("gr%C3%B6", "grö", StringComparison.Ordinal).Replace("%C3%9F", "ß", StringComparison.Ordinal)));
        Assert.Contains("Warning OpenPermissions nightly/runs/r1", found);
        Assert.DoesNotContain(files.Operations, o => o.Verb is FileVerb.OpenRead or FileVerb.Scan && (o.Path.StartsWith(StageFolder, StringComparison.Ordinal) || o.Path == HistoryPath || o.Name == "0000000002.json"));
    }

    [Fact]
    public async Task What_cannot_be_read_is_a_finding_and_the_rest_is_verified()
    {
        await Fill();
        Flip(RecordPath(1));
        var files = new TestFileSystem { Before = o => _ = o.Verb == FileVerb.OpenRead && o.Path == RecordPath(2) ? throw Fault.InputOutput.Make() : 0 };
        Store = new FolderStore(Root, files);

        Assert.Equal([$"Error DamagedRecord {InStage}0000000001.json", $"Error Unreadable {InStage}0000000002.json"], await Verify());
    }

    [Fact]
    public async Task A_record_that_is_replaced_or_removed_while_it_is_looked_at_is_no_finding()
    {
        await Fill();
        var payload = PayloadPath;
        var files = new TestFileSystem();
        var isReplaced = false;
        files.Before = o =>
        {
            if (o.Verb == FileVerb.OpenRead && o.Path == payload && !isReplaced)
            {
                isReplaced = true;
                new FolderStore(Root).SaveAsync(Draft(Bytes(3), 2, overwrite: true), default).AsTask().GetAwaiter().GetResult();
            }
        };
        Store = new FolderStore(Root, files);
        Assert.Empty(await Verify());
        Assert.True(isReplaced);

        payload = PayloadPath;
        files.Before = o =>
        {
            if (o.Verb == FileVerb.OpenRead && o.Path == payload)
                new FolderStore(Root).RemoveAsync(Stage, [2], default).AsTask().GetAwaiter().GetResult();
        };
        Assert.Empty(await Verify());
    }

    [Fact]
    public async Task Only_what_is_meant_is_verified()
    {
        await Fill();
        Flip(RecordPath(1));
        Flip(Path.Join(FolderLayout.StagePath(Root, InRun), "0000000001.json"));
        Flip(BreakerPath);

        Assert.Equal(3, (await Verify()).Count());
        Assert.Equal(3, (await Verify(new StoreScope { Pipeline = NamePattern.Of("Nightly") })).Count());
        Assert.Empty(await Verify(new StoreScope { Pipeline = NamePattern.Of("other") }));
        Assert.Equal([$"Error DamagedRecord {InStage}0000000001.json"], await Verify(new StoreScope { Run = null }));
        Assert.Equal([$"Error DamagedRecord {InStage}0000000001.json"], await Verify(new StoreScope { Name = NamePattern.Where(n => n.StartsWith("ing", StringComparison.Ordinal)) }));
        Assert.Equal("r1", Assert.Single(await Find(new StoreScope { Run = NamePattern.Of("R1") })).Run);
    }

    [Fact]
    public async Task It_says_how_far_it_is()
    {
        await Fill();
        var told = new List<(long Done, long Total)>();
        await foreach (var finding in Store.VerifyAsync(new StoreScope(), (done, total) => told.Add((done, total)), default))
            Assert.Fail(finding.ToString());

        Assert.Single(told.Select(t => t.Total).Distinct());
        Assert.Equal(told.Select(t => t.Done).Order(), told.Select(t => t.Done));
        Assert.Equal(told[^1].Total, told[^1].Done);
        Assert.True(told[^1].Total > 60_000);
    }

    [Fact]
    public async Task It_ends_when_it_is_cancelled()
    {
        await Fill();
        using var source = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in Store.VerifyAsync(new StoreScope(), (_, _) => source.Cancel(), source.Token))
            {
            }
        });
    }
}
