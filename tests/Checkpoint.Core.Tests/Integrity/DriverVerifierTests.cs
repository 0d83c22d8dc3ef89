using System.Text;

namespace Checkpoint.Tests;

/// <summary>What is verified in a driver's store: whatever is damaged is found, and told as in a folder.</summary>
public abstract class DriverVerifierTests : DriverIntegrityTest
{
    [DriverFact]
    public async Task A_store_that_is_whole_has_no_finding()
    {
        await Fill();

        Assert.Empty(await Verify());
    }

    [DriverFact]
    public async Task A_store_that_nobody_wrote_to_has_none()
    {
        Assert.Empty(await Verify());
        Assert.Empty(await Repair());
    }

    [DriverFact]
    public async Task Every_byte_of_a_record_counts()
    {
        await Fill();
        foreach (var step in new[] { 1, 2 })
        {
            var whole = await Read(Key, step);
            var bytes = whole.Record.ToArray();
            var damages = Enumerable.Range(0, 30).Select(i => i * (bytes.Length - 1) / 29).Select(at => bytes.Select((b, i) => i == at ? (byte)(b ^ 1) : b).ToArray());
            foreach (var damage in damages.Append([]).Append(bytes[..^1]).Append([.. bytes, 0]))
            {
                await Replace(whole, damage);
                var found = Assert.Single(await Find());
                Assert.Equal((FindingSeverity.Error, StoreFindingKind.DamagedRecord, $"{Driver.Location}#checkpoint/nightly/ingest/{step}"), (found.Severity, found.Kind, found.Location));
                Assert.Equal(("nightly", null, "ingest", step), (found.Pipeline, found.Run, found.Name, found.Step!.Value));
            }
            await Replace(whole, bytes);
        }
        Assert.Empty(await Verify());
    }

    [DriverFact]
    public async Task A_revision_that_is_not_that_of_its_record_is_found()
    {
        await Fill();
        var entry = await Read(Key, 1);
        Assert.True(await Driver.ReplaceRecordAsync(entry, entry.Record, "another", default));

        Assert.Equal(["Error DamagedRecord checkpoint/nightly/ingest/1"], await Verify());
    }

    [DriverFact]
    public async Task Every_byte_of_a_payload_counts_and_so_does_its_length()
    {
        await Fill();
        var (name, bytes) = await Payload();
        foreach (var damage in new[] { 0, bytes.Length / 2, bytes.Length - 1 }.Select(at => bytes.Select((b, i) => i == at ? (byte)(b ^ 1) : b).ToArray()).Append([]).Append(bytes[..^1]).Append([.. bytes, 0]).Append(null))
        {
            await SetPayload(Key, 2, name, damage);
            Assert.Equal(["Error DamagedPayload checkpoint/nightly/ingest/2"], await Verify());
        }
        await SetPayload(Key, 2, DriverTest.NewName(), bytes);
        Assert.Equal(["Error DamagedPayload checkpoint/nightly/ingest/2"], await Verify());
        await SetPayload(Key, 2, name, bytes);
        Assert.Empty(await Verify());
    }

    [DriverFact]
    public async Task A_state_that_is_none_is_found_though_its_checksums_are_right()
    {
        await Fill();
        await Reseal(Key, 1, text => text.Replace("\"one\"", "{\"$no.such.type\":\"1\"}", StringComparison.Ordinal));

        Assert.Equal(["Error UndecodableState checkpoint/nightly/ingest/1"], await Verify());
    }

    [DriverFact]
    public async Task What_lies_in_the_place_of_another_is_found()
    {
        await Fill();
        await Put(Key, 3, await Read(Key, 1));
        await Put(DriverKeys.Of(Other), 1, await Read(Key, 1));
        await Put(DriverKeys.OfRun("nightly", "r2"), 0, await Read(Run));
        await Put(Breaker with { Name = "mail" }, 0, await Read(Breaker));
        await CopyItems(Other);

        Assert.Equal(
            ["Error Misplaced breaker/nightly/mail/0", "Error Misplaced checkpoint/nightly/ingest/3", "Error Misplaced checkpoint/nightly/other/1", "Error Misplaced items/nightly/other", "Error Misplaced run/nightly/r2/0"],
            (await Verify()).Order(StringComparer.Ordinal));
    }

    [DriverFact]
    public async Task What_a_newer_version_wrote_is_no_damage()
    {
        await Fill();
        foreach (var (key, step) in new (StoreKey, long?)[] { (Key, 1), (Run, null), (Breaker, null) })
            await Reseal(key, step, text => text.Replace("\"format\": 1", "\"format\": 9", StringComparison.Ordinal));
        var head = await Read(Journal, 1);
        var newer = NewerHead();
        await Replace(head, [.. newer, .. head.Record.ToArray().AsSpan(head.Record.Span.IndexOf((byte)'\n') + 1)]);

        var found = await Verify();
        Assert.Equal(
            ["Warning FormatTooNew breaker/nightly/api/0", "Warning FormatTooNew checkpoint/nightly/ingest/1", "Warning FormatTooNew items/nightly/ingest", "Warning FormatTooNew run/nightly/r1/0"], found.Order(StringComparer.Ordinal));
        var before = await Contents();
        Assert.Empty(await Repair());
        Assert.Equal(before, await Contents());
    }

    [DriverFact]
    public async Task Damage_of_runs_and_breakers_is_found()
    {
        await Fill();
        await Flip(Run);
        await Flip(Breaker);

        Assert.Equal(["Error DamagedBreaker breaker/nightly/api/0", "Error DamagedRun run/nightly/r1/0"], (await Verify()).Order(StringComparer.Ordinal));
    }

    [DriverFact]
    public async Task Every_line_of_a_journal_counts()
    {
        await Fill();
        foreach (var step in new[] { 1, 2 })
        {
            var whole = await Read(Journal, step);
            for (var at = 0; at < whole.Record.Length - 1; at += 11)
            {
                await Flip(Journal, step, at);
                Assert.Equal([$"Error DamagedJournal items/nightly/ingest/{step}"], await Verify());
                await Replace(whole, whole.Record.ToArray());
            }
        }
        Assert.Empty(await Verify());
    }

    [DriverFact]
    public async Task Every_output_of_an_item_counts()
    {
        await Fill();
        var name = Text(await Read(Outputs));
        var bytes = (await Driver.Payload(Outputs, 1, name))!;
        foreach (var damage in new[] { bytes.Select((b, i) => i == 10_000 ? (byte)1 : b).ToArray(), bytes[..^1], [.. bytes, 0], null })
        {
            await SetPayload(Outputs, 1, name, damage);
            Assert.Equal(["Error DamagedJournal items/nightly/ingest/1"], await Verify());
        }
        await Driver.RemoveAsync(Outputs, null, null, default);
        Assert.Equal(["Error DamagedJournal items/nightly/ingest/1"], await Verify());
    }

    [DriverFact]
    public async Task A_line_of_a_history_that_was_changed_is_found_wherever_it_was()
    {
        await Fill();
        for (var step = 1; step <= 6; step++)
        {
            var whole = await Read(History, step);
            foreach (var at in new[] { 0, 10, whole.Record.Length / 2, whole.Record.Length - 20, whole.Record.Length - 2 })
            {
                await Flip(History, step, at);
                Assert.All(await Find(), f => Assert.Equal((FindingSeverity.Error, StoreFindingKind.HistoryBroken, "nightly"), (f.Severity, f.Kind, f.Pipeline)));
                Assert.NotEmpty(await Find());
                await Replace(whole, whole.Record.ToArray());
            }
        }
        Assert.Empty(await Verify());
    }

    [DriverFact]
    public async Task Lines_of_a_history_that_were_removed_added_or_moved_are_found()
    {
        await Fill();
        foreach (var step in new[] { 1, 3 })
        {
            var removed = await Read(History, step);
            await Driver.RemoveAsync(History, [new StoreStep(step, null)], null, default);
            Assert.Contains("gap", Assert.Single(await Find()).Message, StringComparison.Ordinal);
            await Put(History, step, removed);
        }
        var (second, fourth) = (await Read(History, 2), await Read(History, 4));
        await Replace(second, fourth.Record.ToArray());
        await Replace(fourth, second.Record.ToArray());
        Assert.NotEmpty(await Find());
        Assert.All(await Find(), f => Assert.Equal((FindingSeverity.Error, StoreFindingKind.HistoryBroken), (f.Severity, f.Kind)));
        await Replace(second, second.Record.ToArray());
        await Replace(fourth, fourth.Record.ToArray());
        Assert.Empty(await Verify());

        await Put(History, 77, fourth);
        Assert.Contains("out of its place", Assert.Single(await Find()).Message, StringComparison.Ordinal);
        await Driver.RemoveAsync(History, [new StoreStep(77, null)], null, default);
        await Put(DriverKeys.OfHistory("weekly"), 1, await Read(History, 1));
        Assert.Contains("another pipeline", Assert.Single(await Find()).Message, StringComparison.Ordinal);
    }

    [DriverFact]
    public async Task Only_what_is_meant_is_verified()
    {
        await Fill();
        await Flip(Key, 1);
        await Flip(DriverKeys.Of(InRun), 1);
        await Flip(Breaker);

        Assert.Equal(3, (await Verify()).Count());
        Assert.Equal(3, (await Verify(new StoreScope { Pipeline = NamePattern.Of("Nightly") })).Count());
        Assert.Empty(await Verify(new StoreScope { Pipeline = NamePattern.Of("weekly") }));
        Assert.Equal(["Error DamagedRecord checkpoint/nightly/ingest/1"], await Verify(new StoreScope { Name = NamePattern.Where(n => n.StartsWith("ing", StringComparison.Ordinal)) }));
        Assert.Equal("r1", Assert.Single(await Find(new StoreScope { Run = NamePattern.Of("R1") })).Run);
    }

    [DriverFact]
    public async Task With_a_key_what_was_changed_with_right_checksums_is_found_and_what_another_opens_is_told()
    {
        var key = CheckpointKey.FromText("one", "");
        await Fill(key);
        Assert.Empty(await Verify());
        Assert.Empty(await Verify(new StoreScope { Key = key }));
        // One for each step, and one for the outputs of the items.
        Assert.All(await Find(new StoreScope { Key = CheckpointKey.FromText("two", "") }), f => Assert.Equal((FindingSeverity.Information, StoreFindingKind.Locked), (f.Severity, f.Kind)));
        Assert.Equal(4, (await Find(new StoreScope { Key = CheckpointKey.FromText("two", "") })).Count);

        await Reseal(Key, 1, text => text.Replace("\"savedAt\": \"2", "\"savedAt\": \"1", StringComparison.Ordinal));
        Assert.Equal(["Error NotAuthentic checkpoint/nightly/ingest/1"], await Verify(new StoreScope { Key = key }));
        await Repair(key);

        // The output of an item that was given to another.
        using (var items = await new CheckpointEngine(Store, key: key).Store.OpenItemsAsync(Other, default))
        {
            var output = items.WriteOutput(ItemId.Of("a"), Output(20_000), default);
            items.Append([Item("a", output), Item("b", output)], default);
        }
        Assert.Empty(await Verify());
        Assert.Equal(["Error DamagedJournal items/nightly/other/1"], await Verify(new StoreScope { Key = key }));
        Assert.Single(await Repair(key));
        Assert.Empty(await Verify(new StoreScope { Key = key }));

        using (var items = await Store.OpenItemsAsync(Other, default))
            items.Append([Item("plain", items.WriteOutput(ItemId.Of("plain"), Output(10), default))], default);
        Assert.Equal(["Warning NotEncrypted items/nightly/other"], await Verify(new StoreScope { Key = key }));
        Assert.Empty(await Repair(key));
    }

    [DriverFact]
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

    // The head of a journal in a format that is not known yet.
    private static byte[] NewerHead()
    {
        const string Body = "\"format\":9,\"pipeline\":\"nightly\",\"name\":\"ingest\"}";
        var crc = uint.MaxValue;
        foreach (var b in Encoding.UTF8.GetBytes(Body))
            crc = System.Numerics.BitOperations.Crc32C(crc, b);
        return Encoding.UTF8.GetBytes($"{{\"crc\":\"{~crc:x8}\",{Body}\n");
    }
}
