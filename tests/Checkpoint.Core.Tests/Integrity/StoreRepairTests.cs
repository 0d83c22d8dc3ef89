using System.Runtime.Versioning;

namespace Checkpoint.Tests;

public class StoreRepairTests : IntegrityTest
{
    private const string Place = "20260301T120000Z-x";

    private string Quarantine => Path.Join(Root, "~quarantine", Place);

    [Fact]
    public async Task A_whole_store_is_left_as_it_is()
    {
        await Fill();
        var before = Contents();

        Assert.Empty(await Repair());

        Assert.Equal(before, Contents());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_damaged_step_is_moved_with_its_payload_and_the_newest_intact_one_counts(bool isPayload)
    {
        await Fill();
        var (record, payload) = (RecordPath(2), PayloadPath);
        Flip(isPayload ? payload : record);
        var bytes = new[] { record, payload }.Select(File.ReadAllBytes).ToList();

        var done = Assert.Single(await Repair());

        Assert.Equal((FindingAction.Quarantined, isPayload ? StoreFindingKind.DamagedPayload : StoreFindingKind.DamagedRecord, 2), (done.Action, done.Kind, done.Step));
        Assert.Contains(Path.Join("~quarantine", Place, "nightly", "stages", "ingest", "0000000002.json"), done.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, new[] { record, payload }.Select(p => File.ReadAllBytes(Path.Join(Quarantine, Path.GetRelativePath(Root, p)))));
        Assert.Equal([1], await Steps());
        TestState.AssertEqual(TestState.Small("one"), await Restore());
        Assert.Empty(await Verify());
        var told = await LastEvent();
        Assert.Equal((CheckpointEvents.Repaired, "ingest", 2), (told.Event, told.Name, told.Step));
        // As after a clearing: the number is free.
        Assert.Equal(2, (await Save()).Step);
    }

    [Fact]
    public async Task A_payload_whose_name_was_damaged_in_its_record_is_kept_with_it()
    {
        await Fill();
        var payload = PayloadPath;
        var end = Path.GetFileName(payload)[20..];
        var text = await File.ReadAllTextAsync(RecordPath(2));
        await File.WriteAllTextAsync(RecordPath(2), text.Replace(end, (end[0] == '0' ? '1' : '0') + end[1..], StringComparison.Ordinal));

        Assert.Single(await Repair());

        Assert.True(File.Exists(Path.Join(Quarantine, Path.GetRelativePath(Root, payload))));
        Assert.Empty(await Verify());
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_payload_whose_record_became_a_link_is_kept_with_it()
    {
        await Fill();
        var payload = PayloadPath;
        File.Delete(RecordPath(2));
        File.CreateSymbolicLink(RecordPath(2), "nowhere");

        Assert.Equal(StoreFindingKind.NotAFile, Assert.Single(await Repair()).Kind);

        Assert.True(File.Exists(Path.Join(Quarantine, Path.GetRelativePath(Root, payload))));
        Assert.Empty(await Verify());
    }

    [Fact]
    public async Task Damaged_lines_of_a_journal_are_moved_and_their_items_alone_are_undone()
    {
        await Fill();
        var lines = await File.ReadAllLinesAsync(JournalPath);
        var head = lines[0].Replace("\"format\":1", "\"format\":8", StringComparison.Ordinal);
        await File.WriteAllTextAsync(JournalPath, $"{head}\n{lines[1]}\n{lines[2]}\n{lines[3].Replace("\"done\"", "\"dune\"", StringComparison.Ordinal)}\n");
        Flip(OutputsPath);
        Own();

        var done = Assert.Single(await Repair());

        Assert.Equal(StoreFindingKind.DamagedJournal, done.Kind);
        Assert.Equal([lines[0], lines[1]], await File.ReadAllLinesAsync(JournalPath));
        Assert.Equal([head, lines[2], lines[3].Replace("\"done\"", "\"dune\"", StringComparison.Ordinal)], await File.ReadAllLinesAsync(Path.Join(Quarantine, Path.GetRelativePath(Root, JournalPath))));
        Assert.Empty(await Verify());
        var marks = 0;
        using (var items = await Store.OpenItemsAsync(Stage, default))
            Assert.Equal(0, items.ReadAll(_ => marks++, default));
        Assert.Equal(1, marks);
    }

    [Fact]
    public async Task Runs_breakers_and_journals_of_others_are_moved()
    {
        await Fill();
        Flip(Path.Join(RunFolder, "run.json"));
        Flip(BreakerPath);
        var other = FolderLayout.StagePath(Root, new StageId("nightly", null, "other"));
        Directory.CreateDirectory(other);
        File.Copy(JournalPath, Path.Join(other, "items.jsonl"));
        File.Copy(OutputsPath, Path.Join(other, "items.outputs"));
        Own();

        Assert.Equal(3, (await Repair()).Count);

        Assert.Empty(await Verify());
        Assert.Equal(4, Directory.EnumerateFiles(Quarantine, "*", SearchOption.AllDirectories).Count());
        Assert.Empty(Directory.EnumerateFiles(other));
    }

    [Fact]
    public async Task Leftovers_of_dead_writers_are_removed_and_those_of_living_ones_are_not()
    {
        await Fill();
        foreach (var name in new[] { FolderLayout.NewTemporaryName(), FolderLayout.NewPayloadName(2), FolderLayout.NewPayloadName(7) })
            FileSystem.Current.CreateFile(Path.Join(StageFolder, name)).Dispose();
        FileSystem.Current.CreateFile(Path.Join(RunFolder, FolderLayout.NewTemporaryName())).Dispose();
        var before = Contents().Count;
        var living = Path.Join(StageFolder, FolderLayout.NewTemporaryName());
        using var file = FileSystem.Current.CreateFile(living);

        var done = await Repair();

        Assert.All(done, d => Assert.Equal(FindingAction.Removed, d.Action));
        Assert.Equal(4, done.Count);
        Assert.True(File.Exists(living));
        Assert.Equal(before - 4 + 1, Contents().Count);
        Assert.False(Directory.Exists(Path.Join(Root, "~quarantine")));
    }

    [Fact]
    public async Task A_head_is_written_anew_and_a_break_of_the_history_stays_told_as_known()
    {
        await Fill();
        var lines = await File.ReadAllLinesAsync(HistoryPath);
        await File.WriteAllTextAsync(HistoryPath, string.Concat(lines.Where((_, i) => i != 2).Select(l => l + "\n")));

        Assert.Equal([FindingAction.Acknowledged], (await Repair()).Select(d => d.Action));

        var found = Assert.Single(await Find());
        Assert.Equal((FindingSeverity.Warning, StoreFindingKind.HistoryBroken), (found.Severity, found.Kind));
        Assert.Contains("known since", found.Message, StringComparison.Ordinal);
        Assert.Equal(CheckpointEvents.HistoryBroken, (await LastEvent()).Event);
        Assert.Empty(await Repair());

        File.Delete(HeadPath);
        Assert.Equal([FindingAction.Rebuilt], (await Repair()).Select(d => d.Action));
        Assert.Equal(found, Assert.Single(await Find()));

        // What is changed after that is an error again.
        await Store.AppendHistoryAsync("nightly", [new CheckpointEvent { Time = Noon, Event = "Saved", Pipeline = "nightly", Step = 77 }], default);
        await File.WriteAllTextAsync(HistoryPath, (await File.ReadAllTextAsync(HistoryPath)).Replace("\"step\":77", "\"step\":78", StringComparison.Ordinal));
        Assert.Equal([FindingSeverity.Warning, FindingSeverity.Error], (await Find()).Select(f => f.Severity));
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public async Task Links_are_moved_themselves_and_what_they_lead_to_stays()
    {
        await Fill();
        var secret = Path.Join(Temp.Path, "secret");
        await File.WriteAllTextAsync(secret, "x");
        File.Delete(RecordPath(1));
        File.CreateSymbolicLink(RecordPath(1), secret);

        var done = Assert.Single(await Repair());

        Assert.Equal((StoreFindingKind.NotAFile, FindingAction.Quarantined), (done.Kind, done.Action));
        Assert.Equal(secret, new FileInfo(Path.Join(Quarantine, Path.GetRelativePath(Root, RecordPath(1)))).LinkTarget);
        Assert.Equal("x", await File.ReadAllTextAsync(secret));
        Assert.Empty(await Verify());
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_quarantine_that_is_a_link_takes_nothing_out_of_the_store()
    {
        await Fill();
        var outside = Directory.CreateDirectory(Path.Join(Temp.Path, "outside")).FullName;
        Directory.CreateSymbolicLink(Path.Join(Root, "~quarantine"), outside);
        Flip(RecordPath(1));

        await Assert.ThrowsAsync<CheckpointException>(Repair);

        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
        Assert.True(File.Exists(RecordPath(1)));
    }

    [Fact]
    public async Task What_is_whole_again_by_then_is_left_alone()
    {
        await Fill();
        var whole = await File.ReadAllBytesAsync(RecordPath(1));
        Flip(RecordPath(1));
        var found = Assert.Single(await Find());
        await File.WriteAllBytesAsync(RecordPath(1), whole);

        Assert.Null(await Store.RepairAsync(found, Place, null, default));

        Assert.Empty(await Verify());
    }

    [Fact]
    public async Task What_others_are_at_work_on_is_an_error_and_left_alone()
    {
        await Fill();
        Flip(JournalPath, 20);
        using var lease = (await Store.TryLeaseAsync(new LeaseName(Stage), LeaseHolder.Self(TimeProvider.System), default)).Lease;

        Assert.Equal(CheckpointErrorKind.LeaseHeld, (await Assert.ThrowsAsync<CheckpointException>(Repair)).Kind);

        Assert.Equal([StoreFindingKind.DamagedJournal], (await Find()).Select(f => f.Kind));
    }

    [Fact]
    public async Task Cut_off_at_any_operation_it_loses_nothing_and_goes_on_the_next_time()
    {
        for (var limit = 0; ; limit++)
        {
            Store = new FolderStore(Root);
            await Fill();
            Flip(RecordPath(2), 200);
            Flip(JournalPath, 200);
            var saved = Contents().Where(f => f.EndsWith(".state", StringComparison.Ordinal) || f.EndsWith("2.json", StringComparison.Ordinal)).Count();
            var count = 0;
            var findings = await Find();
            Store = new FolderStore(Root, new TestFileSystem { Before = o => _ = o.Changes && ++count > limit ? throw Fault.InputOutput.Make() : 0 });
            var isCut = false;
            try
            {
                foreach (var finding in findings.Where(f => f.Remedy != FindingAction.None))
                    await Store.RepairAsync(finding, Place, null, default);
            }
            catch (CheckpointException)
            {
                isCut = true;
            }
            Store = new FolderStore(Root);
            await Repair();
            Assert.DoesNotContain(await Find(), f => f.Severity == FindingSeverity.Error);
            Assert.Equal(saved, Contents().Where(f => f.EndsWith(".state", StringComparison.Ordinal) || f.EndsWith("2.json", StringComparison.Ordinal)).Count());
            Directory.Delete(Root, recursive: true);
            if (!isCut && count <= limit)
                break;
        }
    }

    private List<string> Contents() => [.. Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private async Task<List<StoreFinding>> Repair()
    {
        var done = new List<StoreFinding>();
        foreach (var finding in (await Find()).Where(f => f.Remedy != FindingAction.None))
        {
            if (await Store.RepairAsync(finding, Place, null, default) is { } repaired)
                done.Add(repaired);
        }
        return done;
    }

    private async Task<CheckpointEvent> LastEvent()
    {
        CheckpointEvent? last = null;
        await foreach (var entry in Store.ReadHistoryAsync(NamePattern.Any, default))
            last = entry;
        return last!;
    }
}
