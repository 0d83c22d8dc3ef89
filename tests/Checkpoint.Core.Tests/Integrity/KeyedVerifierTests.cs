using System.Security.Cryptography;

namespace Checkpoint.Tests;

/// <summary>What a key adds to a verification: whoever can write the store can make every checksum right.</summary>
public sealed class KeyedVerifierTests : EncryptionTest
{
    private const string Place = "20260301T120000Z-x";

    private readonly RawKey _key = NewKey();

    [Fact]
    public async Task With_its_key_and_without_one_a_whole_store_has_no_finding()
    {
        await Fill(_key);

        Assert.Empty(await Verify(_key));
        Assert.Empty(await Verify(null));
    }

    [Theory]
    [InlineData("metadata")]
    [InlineData("fingerprint")]
    [InlineData("payload")]
    [InlineData("marker")]
    public async Task What_was_changed_with_right_checksums_is_found_with_the_key_and_put_aside(string what)
    {
        await Fill(_key);
        var step = what switch { "payload" => 2, "marker" => 3, _ => 1 };
        var record = RecordPath(step);
        if (what == "payload")
        {
            var bytes = await File.ReadAllBytesAsync(PayloadPath(2));
            var before = Convert.ToHexStringLower(SHA256.HashData(bytes));
            bytes[^20] ^= 1;
            await File.WriteAllBytesAsync(PayloadPath(2), bytes);
            Edit(record, text => text.Replace(before, Convert.ToHexStringLower(SHA256.HashData(bytes)), StringComparison.Ordinal));
        }
        else
        {
            Edit(record, text => what == "metadata" ? text.Replace("\"facts\": \"", "\"facts\": \"AAAA", StringComparison.Ordinal) : text.Replace("\"savedAt\": \"2", "\"savedAt\": \"1", StringComparison.Ordinal));
        }

        Assert.Empty(await Verify(null));
        Assert.Equal([$"Error NotAuthentic {step}"], await Verify(_key));

        var done = Assert.Single(await Repair(_key));
        Assert.Equal((FindingAction.Quarantined, StoreFindingKind.NotAuthentic), (done.Action, done.Kind));
        Assert.False(File.Exists(record));
        Assert.Empty(await Verify(_key));
    }

    [Fact]
    public async Task What_an_accident_did_is_told_with_the_key_as_without()
    {
        await Fill(_key);
        var bytes = await File.ReadAllBytesAsync(PayloadPath(2));
        bytes[^20] ^= 1;
        await File.WriteAllBytesAsync(PayloadPath(2), bytes);
        Assert.Equal(["Error DamagedPayload 2"], await Verify(_key));

        await File.WriteAllBytesAsync(PayloadPath(2), bytes[..100]);
        Assert.Equal(["Error DamagedPayload 2"], await Verify(_key));

        File.Delete(PayloadPath(2));
        Assert.Equal(["Error DamagedPayload 2"], await Verify(_key));
    }

    [Fact]
    public async Task A_state_that_is_none_is_found_with_the_key_without_a_word_of_it()
    {
        await Save(With(_key), new TestState("{\"$secret.type\":\"1\"}"));

        Assert.Equal(["Error UndecodableState 1"], await Verify(_key));
        Assert.DoesNotContain("secret", Assert.Single(await Find(_key)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(40_000)]
    public async Task The_output_of_an_item_that_was_given_to_another_is_found_with_the_key_and_put_aside(int size)
    {
        using (var log = await With(_key).Store.OpenItemsAsync(Stage, default))
        {
            var output = log.WriteOutput(ItemId.Of("a"), Output(size), default);
            log.Append([Item("a", output), Item("b", output)], default);
        }

        Assert.Empty(await Verify(null));
        Assert.Equal(["Error DamagedJournal "], await Verify(_key));

        Assert.Single(await Repair(_key));
        Assert.Empty(await Verify(_key));
        using var journal = new ItemJournal(await With(_key).Store.OpenItemsAsync(Stage, default), Time, null, default);
        Assert.Equal((ItemDecision.Done, ItemDecision.Run), (journal.Decide(ItemId.Of("a"), retryFailed: false), journal.Decide(ItemId.Of("b"), retryFailed: false)));
    }

    [Fact]
    public async Task What_another_key_opens_is_told_and_what_none_needs_is_a_warning_and_both_are_left_alone()
    {
        await Fill(_key);
        await Save(With(null), Output(10));

        Assert.Equal(["Information Locked 1", "Information Locked 2", "Information Locked 3", "Information Locked ", "Warning NotEncrypted 4"], await Verify(NewKey()));
        Assert.Equal(["Warning NotEncrypted 4"], await Verify(_key));
        Assert.Equal(4, (await Verify(new CertificateKey(Certificate))).Count(f => f.StartsWith("Information Locked", StringComparison.Ordinal)));

        using (var log = await With(null).Store.OpenItemsAsync(Stage, default))
            log.Append([Item("plain", log.WriteOutput(ItemId.Of("plain"), Output(10), default))], default);
        Assert.Equal(["Warning NotEncrypted ", "Warning NotEncrypted 4"], await Verify(_key));
        Assert.Empty(await Repair(_key));
        Assert.Empty(await Repair(NewKey()));
    }

    // A small state with metadata, one in a payload, none at all, and the outputs of two items.
    private async Task Fill(CheckpointKey key)
    {
        await Save(With(key), Output(10), metadata: new() { ["loss"] = 1 });
        await Save(With(key), Output(200_000));
        await Save(With(key), null);
        using var log = await With(key).Store.OpenItemsAsync(Stage, default);
        log.Append([Item("a", log.WriteOutput(ItemId.Of("a"), Output(10), default)), Item("b", log.WriteOutput(ItemId.Of("b"), Output(40_000), default)), Item("c", null)], default);
    }

    // With its history, which is missed where there is none.
    private new CheckpointEngine With(CheckpointKey? key) => new(Store, Time, key: key);

    private static TestState Output(int size) => size < 100 ? new("[1]", isSequence: true) : new($"[{{\"$byte[]\":{{\"blob\":[0,{size}]}}}}]", new byte[size], isSequence: true);

    private static ItemEntry Item(string key, ItemOutput? output) => new() { Id = ItemId.Of(key), Key = key, At = Noon, Output = output };

    private async Task<List<StoreFinding>> Find(CheckpointKey? key)
    {
        var found = new List<StoreFinding>();
        await foreach (var finding in With(key).Store.VerifyAsync(new StoreScope(), null, default))
            found.Add(finding);
        return found;
    }

    private async Task<IEnumerable<string>> Verify(CheckpointKey? key) => (await Find(key)).Select(f => $"{f.Severity} {f.Kind} {f.Step}").Order(StringComparer.Ordinal)
        .OrderBy(f => f.StartsWith("Warning NotEncrypted ", StringComparison.Ordinal)).ThenBy(f => f.EndsWith(' ') && f.StartsWith("Information", StringComparison.Ordinal));

    private async Task<List<StoreFinding>> Repair(CheckpointKey? key)
    {
        var done = new List<StoreFinding>();
        foreach (var finding in (await Find(key)).Where(f => f.Remedy != FindingAction.None))
        {
            if (await With(key).Store.RepairAsync(finding, Place, null, default) is { } repaired)
                done.Add(repaired);
        }
        return done;
    }
}
