using System.Security.Cryptography;
using System.Text;

namespace Checkpoint.Tests;

/// <summary>What an attacker changes who can write to the store and make every checksum right, but has no key: it is found, and nothing wrong is given to anybody.</summary>
public sealed class TamperTests : EncryptionTest
{
    private const int Sealed = ChunkCipher.SealedSize;

    [Fact]
    public async Task Every_byte_of_a_record_can_be_changed_without_a_wrong_state_or_metadata_coming_of_it()
    {
        var engine = With(NewKey());
        var state = TestState.Small("the state");
        var fingerprint = new CheckpointFingerprint(new string('a', 64), new Dictionary<string, string>());
        await engine.SaveAsync(Draft(state, metadata: new() { ["rows"] = 5 }) with { Fingerprint = fingerprint, Identity = Facts("model", "m") }, new RetentionPolicy(), default);
        var path = RecordPath(1);
        var whole = await File.ReadAllBytesAsync(path);
        var body = whole.Length - 85;
        var harmless = 0;
        for (var at = 0; at < body; at++)
        {
            var changed = whole[..body];
            changed[at] ^= 1;
            await File.WriteAllBytesAsync(path, [.. changed, .. Encoding.ASCII.GetBytes($",\n  \"checksum\": \"{Convert.ToHexStringLower(SHA256.HashData(changed))}\"\n}}\n")]);
            try
            {
                var restored = await engine.RestoreAsync(Stage, 1, TestState.Read, null, default);
                TestState.AssertEqual(state, restored.State);
                Assert.Equal(5, restored.Checkpoint.Metadata["rows"]);
                Assert.Equal("m", restored.Checkpoint.Identity!["model"]);
                Assert.Equal(fingerprint, restored.Checkpoint.Fingerprint);
                harmless++;
            }
            catch (CheckpointException e)
            {
                Assert.True(e.Kind is CheckpointErrorKind.CheckpointDamaged or CheckpointErrorKind.FormatTooNew or CheckpointErrorKind.KeyWrong, $"byte {at}: {e.Kind}");
            }
        }
        // Blanks between the members, and who saved it when.
        Assert.InRange(harmless, 1, body / 3);
    }

    [Fact]
    public void Every_byte_of_an_encrypted_state_counts()
    {
        var (bytes, key) = Seal(70_000);
        for (var at = 0; at < bytes.Length; at += at is > 200 and < ChunkCipher.ChunkSize - 200 ? 101 : 1)
        {
            bytes[at] ^= 0x10;
            AssertRefused(bytes, key, $"byte {at} changed");
            bytes[at] ^= 0x10;
        }
        Assert.Equal(70_000, Open(bytes, key).Length);
    }

    [Fact]
    public void Chunks_cannot_be_moved_dropped_doubled_or_taken_from_another_state()
    {
        foreach (var length in new[] { 4 * ChunkCipher.ChunkSize, (3 * ChunkCipher.ChunkSize) + 100 })
        {
            var (bytes, key) = Seal(length);
            var (others, _) = Seal(length);
            var chunks = bytes.Chunk(Sealed).ToList();
            for (var i = 0; i < chunks.Count; i++)
            {
                AssertRefused([.. chunks.Where((_, n) => n != i).SelectMany(c => c)], key, $"chunk {i} dropped");
                AssertRefused([.. chunks.SelectMany((c, n) => n == i ? [.. c, .. c] : c)], key, $"chunk {i} doubled");
                AssertRefused([.. chunks.SelectMany((c, n) => n == i ? others.Chunk(Sealed).ElementAt(i) : c)], key, $"chunk {i} of another state");
                for (var j = 0; j < i; j++)
                    AssertRefused([.. chunks.SelectMany((_, n) => chunks[n == i ? j : n == j ? i : n])], key, $"chunks {i} and {j} swapped");
            }
        }
    }

    [Fact]
    public void An_encrypted_state_cannot_be_cut_or_extended()
    {
        var (bytes, key) = Seal((2 * ChunkCipher.ChunkSize) + 50);
        foreach (var length in new[] { 0, 1, 16, 17, Sealed - 1, Sealed, Sealed + 16, Sealed + 17, 2 * Sealed, bytes.Length - 1, bytes.Length - 16, bytes.Length - 50 })
            AssertRefused(bytes[..length], key, $"cut to {length}");
        foreach (var more in new[] { 1, 16, 17, 66, Sealed })
            AssertRefused([.. bytes, .. new byte[more]], key, $"extended by {more}");
        // A whole last chunk, put behind the last one.
        AssertRefused([.. bytes, .. bytes[(2 * Sealed)..]], key, "extended by the last chunk");
    }

    [Fact]
    public void What_comes_before_a_changed_chunk_is_not_given_for_a_whole_state()
    {
        var (bytes, key) = Seal(3 * ChunkCipher.ChunkSize);
        bytes[^1] ^= 1;
        using var reader = Reader(bytes, key);
        var buffer = new byte[1000];
        Assert.Throws<InvalidDataException>(() =>
        {
            while (reader.ReadDocument(buffer) > 0)
            {
            }
        });
        Assert.Throws<InvalidDataException>(() => reader.ReadDocument(buffer));
        Assert.False(reader.IsWhole());
        Assert.Throws<InvalidDataException>(reader.Complete);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(40_000)]
    public async Task A_checkpoint_cannot_be_passed_off_as_another(int size)
    {
        var engine = With(NewKey());
        StageId[] stages = [Stage, new("nightly", null, "load"), new("weekly", null, "ingest"), new("nightly", "7", "ingest"), new("nightly", "8", "ingest")];
        var path = "";
        foreach (var from in stages)
        {
            foreach (var to in stages)
            {
                foreach (var step in new[] { 1L, 2L })
                {
                    if (from.Equals(to) && step == 1)
                        continue;
                    await Save(engine, TestState.Large(1, size), 1, overwrite: true, stage: from);
                    await Save(engine, TestState.Large(2, size), step, overwrite: true, stage: to);
                    path = Pass(from, to, step);
                    Assert.Equal(CheckpointErrorKind.CheckpointDamaged, await Fault(engine, step, to));
                    Assert.Equal(CheckpointErrorKind.CheckpointDamaged, (await engine.Store.ReadAsync(to, step, default)).Fault!.Kind);
                    // Nobody but the key can tell.
                    Assert.Equal(CheckpointErrorKind.KeyRequired, await Fault(With(null), step, to));
                }
            }
        }
    }

    [Theory]
    [InlineData("\"sequence\": false", "\"sequence\": true")]
    [InlineData("\"value\": \"aaaa", "\"value\": \"baaa")]
    [InlineData("\"documentLength\": 10,", "\"documentLength\": 9,")]
    [InlineData("\"kind\": \"key\"", "\"kind\": \"passphrase\"")]
    [InlineData("\"cipher\": \"aes-256-gcm\"", "\"cipher\": \"none\"")]
    [InlineData("\"chunk\": 65536", "\"chunk\": 65537")]
    [InlineData("\"facts\"", "\"fact\"")]
    [InlineData("\"encryption\"", "\"encription\"")]
    [InlineData("\"sealed\"", "\"value\"")]
    [InlineData("\"state\"", "\"stat\"")]
    [InlineData("\"savedAt\": \"20", "\"savedAt\": \"21")]
    [InlineData("\"size\": 7", "\"size\": 8")]
    [InlineData("\"modifiedAt\": \"20", "\"modifiedAt\": \"21")]
    [InlineData("\"sha256\": \"bbbb", "\"sha256\": \"cbbb")]
    [InlineData("\"outputFiles\"", "\"outputFile\"")]
    public async Task What_a_record_says_beside_its_encrypted_parts_cannot_be_changed(string from, string to)
    {
        var engine = With(NewKey());
        var fingerprint = new CheckpointFingerprint(new string('a', 64), new Dictionary<string, string>());
        await engine.SaveAsync(Draft(TestState.Small("12345678"), metadata: new() { ["rows"] = 5 }) with { Fingerprint = fingerprint, OutputFiles = Array.AsReadOnly([new OutputFile("/data/a.csv", 7, Noon, new string('b', 64))]) }, new RetentionPolicy(), default);
        Edit(RecordPath(1), text =>
        {
            Assert.Contains(from, text, StringComparison.Ordinal);
            return text.Replace(from, to, StringComparison.Ordinal);
        });
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, await Fault(engine, 1));
    }

    [Fact]
    public async Task The_facts_of_one_checkpoint_cannot_be_given_to_another()
    {
        var engine = With(NewKey());
        await Save(engine, null, metadata: new() { ["rows"] = 5 });
        await Save(engine, null, metadata: new() { ["rows"] = 6 });
        string FactsOf(long step) => System.Text.RegularExpressions.Regex.Match(File.ReadAllText(RecordPath(step)), "\"facts\": \"[^\"]+\"").Value;
        var (first, second) = (FactsOf(1), FactsOf(2));
        Edit(RecordPath(2), text => text.Replace(second, first, StringComparison.Ordinal));
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, (await engine.Store.ReadAsync(Stage, 2, default)).Fault!.Kind);
    }

    [Fact]
    public async Task Where_the_newest_was_changed_the_one_before_it_counts_with_a_word_about_it()
    {
        var engine = With(NewKey());
        await Save(engine, TestState.Small("old"));
        await Save(engine, TestState.Large(1));
        DamagePayload(2);
        var restored = await engine.RestoreAsync(Stage, null, TestState.Read, null, default);
        TestState.AssertEqual(TestState.Small("old"), restored.State);
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, Assert.Single(restored.Damage).Kind);
    }

    [Fact]
    public async Task A_checkpoint_of_another_key_is_never_replaced_by_an_older_one()
    {
        var engine = With(NewKey());
        await Save(engine, TestState.Small("old"));
        await Save(With(NewKey()), TestState.Small("new"));
        Assert.Equal(CheckpointErrorKind.KeyWrong, await Fault(engine));
    }

    /// <summary>Puts a record, and its payload, in the place of another one, with the names of that.</summary>
    private string Pass(StageId from, StageId to, long step)
    {
        var (source, target) = (FolderLayout.StagePath(Root, from), FolderLayout.StagePath(Root, to));
        var text = File.ReadAllText(Path.Join(source, FolderLayout.RecordName(1)));
        var path = Path.Join(target, FolderLayout.RecordName(step));
        File.WriteAllText(path, text);
        var payload = Directory.EnumerateFiles(source, "0000000001.*.state").Select(f => Path.GetFileName(f)).SingleOrDefault(name => text.Contains(name, StringComparison.Ordinal));
        var moved = payload?.Replace("0000000001.", $"000000000{step}.", StringComparison.Ordinal);
        if (payload is not null)
            File.Copy(Path.Join(source, payload), Path.Join(target, moved), overwrite: true);
        Edit(path, record =>
        {
            var lines = record.Split('\n').Where(line => !line.StartsWith("  \"run\":", StringComparison.Ordinal)).Select(line =>
                line.StartsWith("  \"pipeline\":", StringComparison.Ordinal) ? $"  \"pipeline\": \"{to.Pipeline}\"," + (to.Run is null ? "" : $"\n  \"run\": \"{to.Run}\",")
                : line.StartsWith("  \"name\":", StringComparison.Ordinal) ? $"  \"name\": \"{to.Name}\","
                : line.StartsWith("  \"step\":", StringComparison.Ordinal) ? $"  \"step\": {step},"
                : line);
            var edited = string.Join('\n', lines);
            return payload is null ? edited : edited.Replace(payload, moved, StringComparison.Ordinal);
        });
        return path;
    }

    private static (byte[] Sealed, DataKey Key) Seal(int length)
    {
        var key = DataKey.New();
        var payload = new MemoryStream();
        using var writer = new StateWriter(() => payload);
        new SealedState(new TestState('"' + new string('x', length - 2) + '"'), key).WriteTo(writer, default);
        writer.Complete(false, default);
        return (payload.ToArray(), key);
    }

    private static StateReader Reader(byte[] bytes, DataKey key)
    {
        var stored = new StoredState { IsSequence = false, Payload = "x", PayloadLength = bytes.Length, DocumentLength = bytes.Length, Sha256 = SHA256.HashData(bytes) };
        return KeyedStore.OpenState(new StateReader(stored, new MemoryStream(bytes)), stored, ChunkCipher.PlainLength(bytes.Length), key);
    }

    private static byte[] Open(byte[] bytes, DataKey key)
    {
        using var reader = Reader(bytes, key);
        var document = new MemoryStream();
        var buffer = new byte[100_000];
        for (int read; (read = reader.ReadDocument(buffer)) > 0;)
            document.Write(buffer, 0, read);
        reader.Complete();
        return document.ToArray();
    }

    private static void AssertRefused(byte[] bytes, DataKey key, string what)
    {
        try
        {
            Open(bytes, key);
        }
        catch (InvalidDataException)
        {
            return;
        }
        Assert.Fail($"{what}: it was read");
    }
}
