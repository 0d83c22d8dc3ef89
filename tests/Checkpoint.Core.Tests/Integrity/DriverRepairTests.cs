namespace Checkpoint.Tests;

/// <summary>What a repair does in a driver's store: what is damaged is put aside in full, all else is left as it is, and the next verification is clean.</summary>
public abstract class DriverRepairTests : DriverIntegrityTest
{
    [DriverFact]
    public async Task A_whole_store_is_left_as_it_is()
    {
        await Fill();
        var before = await Contents();

        Assert.Empty(await Repair());

        Assert.Equal(before, await Contents());
        Assert.Equal(CheckpointEvents.StageStarted, (await LastEvent()).Event);
    }

    [DriverFact]
    public async Task A_damaged_payload_is_put_aside_with_its_record_and_the_newest_intact_step_counts()
    {
        await Fill();
        var (name, bytes) = await Payload();
        bytes[7] ^= 1;
        await SetPayload(Key, 2, name, bytes);

        await PutsAsideStepTwo(StoreFindingKind.DamagedPayload, bytes);
    }

    [DriverFact]
    public async Task A_payload_whose_record_is_damaged_is_kept_with_it_also_where_its_name_is_lost()
    {
        await Fill();
        var (name, bytes) = await Payload();
        var record = await Read(Key, 2);
        await Replace(record, DriverTest.Bytes(Text(record).Replace(name, name[..31] + (name[31] == '0' ? '1' : '0'), StringComparison.Ordinal)));

        await PutsAsideStepTwo(StoreFindingKind.DamagedRecord, bytes);
    }

    [DriverFact]
    public async Task Damaged_lines_of_a_journal_are_put_aside_and_their_items_alone_are_undone()
    {
        await Fill();
        var journal = await Read(Journal, 1);
        var lines = Text(journal).Split('\n');
        await Replace(journal, DriverTest.Bytes(Text(journal).Replace("\"key\":\"a\"", "\"key\":\"x\"", StringComparison.Ordinal)));
        await SetPayload(Outputs, 1, Text(await Read(Outputs)), [1]);
        var damaged = await Read(Journal, 1);
        var before = await Contents();

        var done = Assert.Single(await Repair());

        Assert.Equal((FindingAction.Quarantined, StoreFindingKind.DamagedJournal), (done.Action, done.Kind));
        Assert.Equal(string.Join('\n', lines[0], lines[3], ""), Text(await Read(Journal, 1)));
        Assert.Equal(Text(damaged), Text(Assert.Single(await Quarantine(Journal)).Entry));
        await IsClean(before, "#items/nightly/ingest/1");
        var done2 = new List<ItemId>();
        using (var items = await Store.OpenItemsAsync(Stage, default))
        {
            Assert.Equal(0, items.ReadAll(mark => done2.Add(mark.Id), default));
            // It is written on.
            items.Append([Item("e", null)], default);
        }
        Assert.Equal([ItemId.Of("c"), ItemId.Of("d")], done2);
        Assert.Empty(await Verify());
    }

    [DriverFact]
    public async Task A_line_feed_that_was_damaged_costs_one_item()
    {
        await Fill();
        var journal = await Read(Journal, 1);
        var bytes = journal.Record.ToArray();
        bytes[Text(journal).IndexOf("\n{", Text(journal).IndexOf("\"key\":\"a\"", StringComparison.Ordinal), StringComparison.Ordinal)] = (byte)' ';
        await Replace(journal, bytes);
        Assert.Equal(["Error DamagedJournal items/nightly/ingest/1"], await Verify());
        var expected = new[] { "b", "c", "d" }.Select(ItemId.Of).ToList();
        Assert.Equal(expected, await Done(1));

        Assert.Single(await Repair());

        Assert.Equal(expected, await Done(0));
        using var items = await Store.OpenItemsAsync(Stage, default);
        var places = new List<long>();
        items.ReadAll(mark => places.Add(mark.Place), default);
        using var output = items.OpenOutput(ItemId.Of("b"), items.ReadOutput(places.Single(p => p >= 0), default), default);
        Assert.True(output.IsWhole());
    }

    [DriverFact]
    public async Task A_journal_whose_head_is_lost_gets_another()
    {
        await Fill();
        var head = Text(await Read(Journal, 1)).Split('\n')[0];
        await Flip(Journal, 1, 30);

        Assert.Single(await Repair());

        Assert.Equal(head, Text(await Read(Journal, 1)).Split('\n')[0]);
        Assert.Empty(await Verify());
    }

    [DriverFact]
    public async Task Runs_breakers_and_what_lies_in_the_place_of_another_are_put_aside()
    {
        await Fill();
        await Flip(Run);
        await Flip(Breaker);
        await Put(DriverKeys.Of(Other), 1, await Read(Key, 1));
        await CopyItems(Other);
        var before = await Contents();

        Assert.Equal(
            [StoreFindingKind.Misplaced, StoreFindingKind.Misplaced, StoreFindingKind.DamagedRun, StoreFindingKind.DamagedBreaker], (await Repair()).Select(d => d.Kind).Order());

        Assert.Single(await Quarantine(Run));
        Assert.Single(await Quarantine(Breaker));
        // The checkpoint, two entries of the journal, and an output with its bytes.
        Assert.Equal([null, null, null, 20_032], (await Quarantine(DriverKeys.Of(Other))).Select(q => q.Payload?.Length).Order());
        await IsClean(before, "#run/nightly/r1/0", "#breaker/nightly/api/0", "#checkpoint/nightly/other/1", "#items/nightly/other/1", "#items/nightly/other/2", "#item-output/nightly/other/1");
    }

    [DriverFact]
    public async Task A_break_of_the_history_stays_told_as_known()
    {
        await Fill();
        await Driver.RemoveAsync(History, [new StoreStep(3, null)], null, default);
        // Its last byte: a crash that cuts off an append leaves nothing of it in such a store, so that is damage too.
        await Flip(History, 5, (await Read(History, 5)).Record.Length - 2);
        Assert.All(await Find(), f => Assert.Equal(FindingSeverity.Error, f.Severity));

        Assert.All(await Repair(), d => Assert.Equal(FindingAction.Acknowledged, d.Action));

        var known = await Find();
        Assert.NotEmpty(known);
        Assert.All(known, f => Assert.Equal((FindingSeverity.Warning, StoreFindingKind.HistoryBroken), (f.Severity, f.Kind)));
        Assert.All(known, f => Assert.Contains("known since", f.Message, StringComparison.Ordinal));
        Assert.Equal(CheckpointEvents.HistoryBroken, (await LastEvent()).Event);
        Assert.Empty(await Repair());

        // What is changed after that is an error again.
        await new CheckpointEngine(Store).History.RecordAsync(CheckpointEvents.StageStarted, Stage, 77, null, default);
        var last = await Read(History);
        await Replace(last, DriverTest.Bytes(Text(last).Replace("\"step\":77", "\"step\":78", StringComparison.Ordinal)));
        Assert.Single(await Find(), f => f.Severity == FindingSeverity.Error);
    }

    [DriverFact]
    public async Task What_is_whole_again_by_then_is_left_alone()
    {
        await Fill();
        var before = await Contents();
        var (whole, journal) = (await Read(Key, 1), await Read(Journal, 1));
        await Flip(Key, 1);
        await Flip(Journal, 1, 300);
        var found = await Find();
        Assert.Equal(2, found.Count);
        await Replace(whole, whole.Record.ToArray());
        await Replace(journal, journal.Record.ToArray());

        foreach (var finding in found)
            Assert.Null(await Store.RepairAsync(finding, Place, null, default));

        Assert.Equal(before, await Contents());
        Assert.Empty(await Quarantine(Key));
    }

    [DriverFact]
    public async Task What_others_are_at_work_on_is_an_error_and_left_alone()
    {
        await Fill();
        await Flip(Journal, 1, 300);
        var before = await Contents();
        using var lease = (await Store.TryLeaseAsync(new LeaseName(Stage), LeaseHolder.Self(TimeProvider.System), null, default)).Lease;

        Assert.Equal(CheckpointErrorKind.LeaseHeld, (await Assert.ThrowsAsync<CheckpointException>(async () => await Repair())).Kind);

        Assert.Equal(before, await Contents());
    }

    [DriverFact]
    public async Task Cut_off_at_any_write_it_loses_nothing_and_goes_on_the_next_time()
    {
        for (var limit = 0; ; limit++)
        {
            foreach (var kind in new[] { DriverKeys.Checkpoint, DriverKeys.Items, DriverKeys.ItemOutput, DriverKeys.Quarantine, DriverKeys.History })
                await Driver.RemoveAsync(Key with { Kind = kind, Name = kind == DriverKeys.History ? null : Key.Name }, null, null, default);
            await Driver.RemoveAsync(DriverKeys.Of(InRun), null, null, default);
            await Fill();
            var (_, bytes) = await Payload();
            await Flip(Key, 2, 30);
            await Flip(Journal, 1, 300);
            var (record, journal) = (await Read(Key, 2), await Read(Journal, 1));
            var findings = (await Find()).Where(f => f.Remedy != FindingAction.None).ToList();
            Assert.Equal(2, findings.Count);
            var writes = 0;
            var cut = new DriverStore(new CutDriver(Driver, () => writes++ < limit));
            try
            {
                foreach (var finding in findings)
                    await cut.RepairAsync(finding, Place, null, default);
            }
            catch (CheckpointException e)
            {
                Assert.Equal(CheckpointErrorKind.StoreUnavailable, e.Kind);
            }
            await Repair();

            Assert.Empty(await Find());
            Assert.Contains(await Quarantine(Key), q => Text(q.Entry) == Text(record) && q.Payload!.AsSpan().SequenceEqual(bytes));
            Assert.Contains(await Quarantine(Key), q => Text(q.Entry) == Text(journal));
            if (writes <= limit)
                break;
        }
    }

    private async Task PutsAsideStepTwo(StoreFindingKind kind, byte[] payload)
    {
        var (record, before) = (await Read(Key, 2), await Contents());

        var done = Assert.Single(await Repair());

        Assert.Equal((FindingAction.Quarantined, kind, 2), (done.Action, done.Kind, done.Step));
        Assert.Contains($"'{Driver.Location}#quarantine/nightly/ingest/1'", done.Message, StringComparison.Ordinal);
        var kept = Assert.Single(await Quarantine(Key));
        Assert.Equal(Text(record), Text(kept.Entry));
        Assert.Equal(payload, kept.Payload);
        await IsClean(before, "#checkpoint/nightly/ingest/2");
        var told = await LastEvent();
        Assert.Equal((CheckpointEvents.Repaired, "ingest", 2), (told.Event, told.Name, told.Step));
        Assert.Equal(1, (await Store.FindAsync(Stage, default))!.Steps[0]);
        // As after a clearing: the number is free.
        Assert.Equal(2, (await Store.SaveAsync(Draft(TestState.Small("two")), default)).Step);
    }

    // The next verification finds nothing, the next repair does nothing, and nothing but what was meant was touched.
    private async Task IsClean(SortedDictionary<string, string> before, params string[] touched)
    {
        Assert.Empty(await Verify());
        Assert.Empty(await Repair());
        var after = await Contents();
        foreach (var place in touched)
        {
            Assert.True(before.Remove(place, out var old), place);
            if (after.Remove(place, out var now))
                Assert.NotEqual(old, now);
        }
        Assert.Equal(before, after);
    }

    private async Task<List<ItemId>> Done(int damaged)
    {
        var done = new List<ItemId>();
        using var items = await Store.OpenItemsAsync(Stage, default);
        Assert.Equal(damaged, items.ReadAll(mark => done.Add(mark.Id), default));
        return done;
    }
}
