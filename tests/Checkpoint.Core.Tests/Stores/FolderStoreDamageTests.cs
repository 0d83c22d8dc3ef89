using System.Security.Cryptography;
using System.Text;

namespace Checkpoint.Tests;

/// <summary>What is not, byte for byte, what was saved, where it was saved, is damaged; it is never another checkpoint, and never an exception of its own.</summary>
public sealed class FolderStoreDamageTests : StoreTest
{
    [Fact]
    public async Task A_missing_payload_is_damage()
    {
        await Save(TestState.Large(1));
        File.Delete(Path.Join(StageFolder, Names(FolderEntryKind.Payload)[0]));
        await AssertDamaged(1, "missing");
    }

    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(39_000, "39000 bytes")]
    [InlineData(50_000, "50000 bytes")]
    public async Task A_payload_of_another_length_is_damage(int length, string reason)
    {
        await Save(TestState.Large(1));
        await using (var payload = new FileStream(Path.Join(StageFolder, Names(FolderEntryKind.Payload)[0]), FileMode.Open))
            payload.SetLength(length);
        await AssertDamaged(1, reason);
    }

    [Fact]
    public async Task A_payload_with_a_changed_byte_is_damage_when_it_is_read()
    {
        await Save(TestState.Small("older"));
        await Save(TestState.Large(1));
        var path = Path.Join(StageFolder, Names(FolderEntryKind.Payload)[0]);
        var bytes = await File.ReadAllBytesAsync(path);
        foreach (var at in new[] { 0, 5, 20, bytes.Length / 2, bytes.Length - 1 })
        {
            bytes[at] ^= 1;
            await File.WriteAllBytesAsync(path, bytes);
            var error = await Assert.ThrowsAsync<CheckpointException>(() => Restore(2));
            Assert.Equal(CheckpointErrorKind.CheckpointDamaged, error.Kind);
            TestState.AssertEqual(TestState.Small("older"), await Restore());
            bytes[at] ^= 1;
        }
        await File.WriteAllBytesAsync(path, bytes);
        TestState.AssertEqual(TestState.Large(1), await Restore(2));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("not json")]
    [InlineData("{\n  \"format\": 1\n}\n")]
    public async Task An_empty_or_half_written_record_is_damage(string text)
    {
        await Save(TestState.Large(1));
        await File.WriteAllTextAsync(RecordPath(1), text);
        await AssertDamaged(1, "");
    }

    [Fact]
    public async Task A_record_longer_than_any_can_be_is_damage_and_is_not_read()
    {
        await Save();
        await using (var record = new FileStream(RecordPath(1), FileMode.Open))
            record.SetLength(1L << 40);
        await AssertDamaged(1, "longer");
    }

    [Fact]
    public async Task A_record_copied_to_another_stage_is_damage_there()
    {
        await Save(TestState.Small("x"));
        foreach (var other in new[] { new StageId("nightly", null, "other"), new StageId("other", null, "ingest"), new StageId("nightly", "7", "ingest") })
        {
            var folder = FolderLayout.StagePath(Root, other);
            Directory.CreateDirectory(folder);
            File.Copy(RecordPath(1), Path.Join(folder, FolderLayout.RecordName(1)));
            var fault = (await Store.ReadAsync(other, 1, default)).Fault;
            Assert.Equal(CheckpointErrorKind.CheckpointDamaged, fault!.Kind);
            foreach (var part in new[] { "belongs to another checkpoint", "'ingest'", "Clear-Checkpoint leaves", folder })
                Assert.Contains(part, fault.Message, StringComparison.Ordinal);
            Assert.NotNull((await Store.FindAsync(other, default))!.Newest.Fault);
        }
        TestState.AssertEqual(TestState.Small("x"), await Restore());
    }

    [Fact]
    public async Task A_record_renamed_to_another_step_is_damage()
    {
        await Save(TestState.Small("x"));
        File.Move(RecordPath(1), RecordPath(2));
        await AssertDamaged(2, "it is a copy of step 1");
        Assert.Equal(1, await Store.RemoveAsync(Stage, null, default));
    }

    [Fact]
    public async Task A_whole_store_that_was_copied_is_whole_and_knows_its_new_place()
    {
        await Save(TestState.Large(1));
        var copy = Path.Join(Temp.Path, "copy");
        foreach (var file in Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories))
        {
            var target = Path.Join(copy, Path.GetRelativePath(Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        var store = new FolderStore(copy);
        var info = (await store.ReadAsync(Stage, 1, default)).Info!;
        Assert.Equal(copy, info.Store);
        Assert.StartsWith(copy, info.Location, StringComparison.Ordinal);
        TestState.AssertEqual(TestState.Large(1), await Restore(store));
    }

    [Theory]
    [InlineData("../../secret")]
    [InlineData("/etc/passwd")]
    [InlineData("0000000002.00000000000000000000000000000000.state")]
    [InlineData("0000000001.json")]
    [InlineData("")]
    public async Task A_record_that_names_a_payload_of_somewhere_else_is_damage(string payload)
    {
        var info = await Save(TestState.Large(1));
        var forged = new CheckpointInfo
        {
            Store = info.Store,
            Pipeline = info.Pipeline,
            Name = info.Name,
            Step = info.Step,
            SavedAt = info.SavedAt,
            Host = "",
            User = "",
            ProcessId = 1,
            Location = info.Location,
            State = new StoredState { IsSequence = false, Payload = payload, PayloadLength = info.State!.PayloadLength, DocumentLength = info.State.DocumentLength, Sha256 = info.State.Sha256 },
        };
        await File.WriteAllBytesAsync(RecordPath(1), RecordFormat.Serialize(forged, Temp.Path));
        await AssertDamaged(1, "name");
    }

    [Fact]
    public async Task A_record_of_a_newer_format_is_a_clear_error_and_not_damage()
    {
        await Save(TestState.Small("older"));
        await Save(TestState.Small("newer"));
        await File.WriteAllBytesAsync(RecordPath(2), AsFormat(await File.ReadAllBytesAsync(RecordPath(2)), 2));
        var fault = (await Store.ReadAsync(Stage, 2, default)).Fault!;
        Assert.Equal(CheckpointErrorKind.FormatTooNew, fault.Kind);
        Assert.Equal("ingest", fault.Target);
        foreach (var part in new[] { "Step 2", "'ingest'", "format 2", "up to 1", "Update", RecordPath(2) })
            Assert.Contains(part, fault.Message, StringComparison.Ordinal);
        Assert.Equal(CheckpointErrorKind.FormatTooNew, (await Assert.ThrowsAsync<CheckpointException>(() => Restore())).Kind);
        TestState.AssertEqual(TestState.Small("older"), await Restore(1));
    }

    [Fact]
    public async Task A_message_of_damage_says_which_checkpoint_where_and_what_to_do()
    {
        await Save(TestState.Small("x"), 12);
        await File.WriteAllTextAsync(RecordPath(12), "");
        var fault = (await Store.ReadAsync(Stage, 12, default)).Fault!;
        Assert.Equal("ingest", fault.Target);
        foreach (var part in new[] { "Step 12", "'ingest'", "'nightly'", RecordPath(12), "Clear-Checkpoint" })
            Assert.Contains(part, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Temporary_files_and_payloads_alone_are_no_checkpoints()
    {
        await Save(TestState.Large(1));
        File.Copy(RecordPath(1), Path.Join(StageFolder, FolderLayout.NewTemporaryName()));
        File.Copy(RecordPath(1), Path.Join(StageFolder, "0000000002.json.tmp"));
        File.Copy(Path.Join(StageFolder, Names(FolderEntryKind.Payload)[0]), Path.Join(StageFolder, FolderLayout.NewPayloadName(3)));
        Assert.Equal([1L], await Steps());
        Assert.Equal(2, (await Save()).Step);
    }

    [Fact]
    public async Task A_folder_with_a_records_name_is_no_record()
    {
        await Save(TestState.Small("x"));
        Directory.CreateDirectory(RecordPath(2));
        Assert.Equal([1L], await Steps());
        Assert.True((await Store.ReadAsync(Stage, 2, default)).IsMissing);
        TestState.AssertEqual(TestState.Small("x"), await Restore());
    }

    /// <summary>The record with another version and a right checksum.</summary>
    private static byte[] AsFormat(byte[] record, int version)
    {
        var text = Encoding.UTF8.GetString(record).Replace("\"format\": 1", $"\"format\": {version}", StringComparison.Ordinal);
        var body = text[..text.LastIndexOf(",\n  \"checksum\"", StringComparison.Ordinal)];
        return Encoding.UTF8.GetBytes(body + ",\n  \"checksum\": \"" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body))) + "\"\n}\n");
    }

    private async Task AssertDamaged(long step, string reason)
    {
        var fault = (await new FolderStore(Root).ReadAsync(Stage, step, default)).Fault;
        Assert.NotNull(fault);
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, fault.Kind);
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
        var listing = (await new FolderStore(Root).FindAsync(Stage, default))!;
        Assert.Contains(step, listing.Steps);
        Assert.NotNull(listing.Newest.Fault);
        var decision = await new CheckpointEngine(new FolderStore(Root)).DecideAsync(Stage, null, null, null, default);
        Assert.Equal(DecisionCause.Damaged, decision.Cause);
        Assert.Single(decision.Damage);
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, (await Assert.ThrowsAsync<CheckpointException>(() => Restore(step))).Kind);
    }
}
