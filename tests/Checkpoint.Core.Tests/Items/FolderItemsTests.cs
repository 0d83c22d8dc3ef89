using System.Text;

namespace Checkpoint.Tests;

public sealed class FolderItemsTests : ItemLogTest
{
    [Fact]
    public void What_was_appended_is_read_by_the_next_in_any_number_of_goes()
    {
        Write(Entry("a"), Entry("b", error: "no"));
        Write(Entry("c"));
        Assert.Equal(("a c", 0), Read("a", "b", "c", "d"));
    }

    [Fact]
    public void The_latest_entry_of_an_item_counts()
    {
        Write(Entry("a", error: "no"), Entry("b", error: "no"));
        Write(Entry("b"));
        Assert.Equal(("b", 0), Read("a", "b"));
    }

    [Fact]
    public void A_line_is_json_with_its_checksum_first()
    {
        Write(Entry("host \"1\"", error: "no\nway"));
        var line = File.ReadAllLines(JournalPath)[1];
        using var json = System.Text.Json.JsonDocument.Parse(line);
        Assert.Equal(["crc", "id", "status", "key", "at", "error"], json.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal("host \"1\"", json.RootElement.GetProperty("key").GetString());
        Assert.Equal("no\nway", json.RootElement.GetProperty("error").GetString());
    }

    // The check value that the catalogue of CRCs gives for CRC-32C (reveng.sourceforge.io, CRC-32/ISCSI).
    [Fact]
    public void The_checksum_is_crc_32c()
    {
        var line = "{\"crc\":\"e3069283\",123456789"u8;
        Assert.True(ItemFormat.IsWhole(line));
    }

    [Fact]
    public void A_line_longer_than_any_can_be_costs_only_itself_and_no_more_memory_than_one()
    {
        Write(Entry("a"));
        using (var file = new FileStream(JournalPath, FileMode.Append))
        {
            file.Write("b\n"u8);
            file.SetLength(file.Length + (100 << 20));
        }
        Write(Entry("c"));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(("a c", 2), Read("a", "b", "c"));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);
    }

    [Fact]
    public void An_error_of_many_megabytes_is_cut_so_that_its_line_can_be_read()
    {
        Write(Entry("a", error: new string('\u0001', 8 << 20)), Entry("b"));
        Assert.Equal(("b", 0), Read("a", "b"));
        Assert.InRange(new FileInfo(JournalPath).Length, 1 << 20, ItemFormat.MaxLine);
    }

    [Fact]
    public void Cut_off_at_any_byte_the_journal_loses_only_the_lines_behind_the_cut()
    {
        Write(Entry("a"), Entry("b"), Entry("c"));
        var whole = File.ReadAllBytes(JournalPath);
        var ends = whole.Select((b, i) => (b, i)).Where(x => x.b == '\n').Select(x => x.i).ToList();
        for (var length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(JournalPath, whole[..length]);
            // A line is whole without its line feed too.
            var expected = new[] { "a", "b", "c" }.Where((_, i) => length >= ends[i + 1]);
            Assert.Equal(string.Join(' ', expected), Read("a", "b", "c").Done);
        }
    }

    [Fact]
    public void Cut_off_at_any_byte_the_journal_takes_new_entries_and_keeps_them()
    {
        Write(Entry("a"), Entry("b"));
        var whole = File.ReadAllBytes(JournalPath);
        for (var length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(JournalPath, whole[..length]);
            var before = Read("a", "b").Done;
            Write(Entry("c"));
            Assert.Equal($"{before} c".Trim(), Read("a", "b", "c").Done);
        }
    }

    [Fact]
    public void A_changed_byte_costs_its_own_line_alone_wherever_it_is()
    {
        string[] keys = ["a", "b", "c"];
        Write([.. keys.Select(k => Entry(k))]);
        var whole = File.ReadAllBytes(JournalPath);
        var line = 0;
        for (var i = 0; i < whole.Length; i++)
        {
            foreach (var to in new[] { (byte)(whole[i] ^ 1), (byte)(whole[i] ^ 0x20), (byte)'\n', (byte)0 })
            {
                if (to == whole[i])
                    continue;
                var bytes = whole.ToArray();
                bytes[i] = to;
                File.WriteAllBytes(JournalPath, bytes);
                var (done, damaged) = Read(keys);
                Assert.Equal(string.Join(' ', keys.Where((_, k) => k + 1 != line)), done);
                Assert.InRange(damaged, 1, 2);
            }
            if (whole[i] == '\n')
                line++;
        }
    }

    [Fact]
    public void A_journal_longer_than_a_buffer_is_read_whole_however_little_a_read_gives()
    {
        var keys = Enumerable.Range(0, 20000).Select(i => $"key {i}").ToArray();
        Write([.. keys.Select(k => Entry(k))]);
        Files.MaxRead = 50_021;
        Assert.True(new FileInfo(JournalPath).Length > 2 << 20);
        Assert.Equal(keys.Length, Read(keys).Done.Split(" key ").Length);
    }

    [Fact]
    public void Other_programs_read_the_journal_while_it_is_written_and_do_not_hinder_that()
    {
        Write(Entry("a"));
        using var log = Open();
        log.ReadAll(_ => { }, default);
        using var reader = new StreamReader(new FileStream(JournalPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        Assert.Contains("\"key\":\"a\"", reader.ReadToEnd(), StringComparison.Ordinal);
        log.Append([Entry("b")], default);
        Assert.Contains("\"key\":\"b\"", reader.ReadToEnd(), StringComparison.Ordinal);
        log.Dispose();
        Assert.Equal(("a b", 0), Read("a", "b"));
    }

    [Fact]
    public void A_journal_of_a_newer_format_is_refused_and_left_alone()
    {
        Write(Entry("a"));
        var body = "\"format\":2}"u8.ToArray();
        File.WriteAllText(JournalPath, $"{{\"crc\":\"{Crc32C(body):x8}\",{Encoding.UTF8.GetString(body)}\n");
        var before = File.ReadAllBytes(JournalPath);
        Assert.Equal(CheckpointErrorKind.FormatTooNew, Assert.Throws<CheckpointException>(() => Read("a")).Kind);
        using (var log = Open())
            Assert.Equal(CheckpointErrorKind.FormatTooNew, Assert.Throws<CheckpointException>(() => log.Rewrite(entry => entry, default)).Kind);
        Assert.Equal(before, File.ReadAllBytes(JournalPath));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_output_comes_back_small_or_large(bool isLarge)
    {
        var source = isLarge ? TestState.Large(1, 100_000) : TestState.Small("so \"small\"\n");
        using (var log = Open())
        {
            log.ReadAll(_ => { }, default);
            log.Append([Entry("a", output: log.WriteOutput(ItemId.Of("a"), TestState.Large(2, 70_000), default))], default);
            log.Append([Entry("b", output: log.WriteOutput(ItemId.Of("b"), source, default)), Entry("c")], default);
        }
        using var again = Open();
        var places = new Dictionary<ItemId, long>();
        again.ReadAll(mark => places[mark.Id] = mark.Place, default);
        using var reader = again.OpenOutput(ItemId.Of("b"), again.ReadOutput(places[ItemId.Of("b")], default), default);
        var read = TestState.Read(reader);
        reader.Complete();
        TestState.AssertEqual(new TestState(source.Document, source.Blob, isSequence: true), read);
        Assert.Equal(-1, places[ItemId.Of("c")]);
    }

    [Fact]
    public void A_large_output_is_flushed_before_the_line_that_tells_of_it()
    {
        using var log = Open();
        log.ReadAll(_ => { }, default);
        var output = log.WriteOutput(ItemId.Of("a"), TestState.Large(1, 100_000), default);
        Files.Forget();
        log.Append([Entry("a", output: output)], default);
        Assert.Equal(
            [(FileVerb.Flush, FolderLayout.ItemOutputsName), (FileVerb.Write, FolderLayout.ItemsName), (FileVerb.Flush, FolderLayout.ItemsName)],
            Files.Operations.Select(o => (o.Verb, o.Name)));
    }

    [Fact]
    public void Two_that_write_at_once_against_the_rules_lose_nothing()
    {
        // Neither knows of the other: somebody removed the file that keeps them apart.
        using var a = Open();
        using var b = Open();
        a.Append([Entry("a1", output: a.WriteOutput(ItemId.Of("a1"), TestState.Large(1), default))], default);
        var error = Assert.Throws<CheckpointException>(() => b.Append([Entry("b1")], default));
        Assert.Contains("another process", error.Message, StringComparison.Ordinal);
        b.WriteOutput(ItemId.Of("b1"), TestState.Large(2), default);
        a.Append([Entry("a2", output: a.WriteOutput(ItemId.Of("a2"), TestState.Large(3), default))], default);
        Assert.Equal(("a1 a2", 0), Read("a1", "a2", "b1"));
        using var log = Open();
        log.ReadAll(
            mark =>
            {
                using var reader = log.OpenOutput(mark.Id, log.ReadOutput(mark.Place, default), default);
                TestState.Read(reader);
                reader.Complete();
            },
            default);
    }

    [Fact]
    public void A_changed_output_is_found_out()
    {
        using (var log = Open())
        {
            log.ReadAll(_ => { }, default);
            log.Append([Entry("a", output: log.WriteOutput(ItemId.Of("a"), TestState.Large(1, 100_000), default))], default);
        }
        var path = Path.Join(StageFolder, FolderLayout.ItemOutputsName);
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        using var again = Open();
        var place = -1L;
        again.ReadAll(mark => place = mark.Place, default);
        using var reader = again.OpenOutput(ItemId.Of("a"), again.ReadOutput(place, default), default);
        TestState.Read(reader);
        Assert.Throws<InvalidDataException>(reader.Complete);
    }

    [Fact]
    public void A_new_journal_is_flushed_with_the_folders_that_were_made_for_it()
    {
        Open().Dispose();
        var flushed = Files.Operations.Where(o => o.Verb == FileVerb.FlushDirectory).Select(o => o.Path).ToList();
        Assert.Contains(StageFolder, flushed);
        Assert.Contains(Path.GetDirectoryName(StageFolder)!, flushed);
        Assert.Contains(Root, flushed);
    }

    [Fact]
    public async Task A_stage_that_has_only_a_journal_is_no_checkpoint()
    {
        Write(Entry("a"));
        Assert.Null(await Store.FindAsync(Stage, default));
        Assert.Empty(await List(Store, new StageQuery { Pipeline = NamePattern.Any }));
    }

    [Fact]
    public async Task Clearing_all_of_a_stage_removes_its_journal_and_the_outputs()
    {
        using (var log = Open())
        {
            log.ReadAll(_ => { }, default);
            log.Append([Entry("a", output: log.WriteOutput(ItemId.Of("a"), TestState.Large(1, 100_000), default))], default);
        }
        await Save();
        await Store.RemoveAsync(Stage, null, default);
        Assert.False(Directory.Exists(StageFolder));

        Write(Entry("a"));
        Assert.Single(await List(Store, new StageQuery { Pipeline = NamePattern.Any, WithLeftovers = true }));
        await Store.RemoveAsync(Stage, null, default);
        Assert.False(Directory.Exists(StageFolder));
    }

    [Fact]
    public async Task Clearing_leaves_the_journal_of_who_began_with_the_items_after_it_did()
    {
        await Save();
        var scans = 0;
        var files = new TestFileSystem();
        files.Before = o =>
        {
            if (o.Verb == FileVerb.Scan && o.Path == StageFolder && ++scans == 2)
                Write(Entry("a"));
        };
        await new FolderStore(Root, files, Time).RemoveAsync(Stage, null, default);
        Assert.Equal(("a", 0), Read("a"));
    }

    [Fact]
    public async Task Removing_steps_leaves_the_journal()
    {
        Write(Entry("a"));
        await Save();
        await Store.RemoveAsync(Stage, [1], default);
        Assert.Equal(("a", 0), Read("a"));
    }

    [Fact]
    public async Task A_stage_whose_items_are_being_done_is_not_cleared()
    {
        await Save();
        Write(Entry("a"));
        using ((await Store.TryLeaseAsync(new LeaseName(Stage), LeaseHolder.Self(Time), default)).Lease)
            Assert.Equal(CheckpointErrorKind.LeaseHeld, (await Assert.ThrowsAsync<CheckpointException>(() => Store.RemoveAsync(Stage, null, default).AsTask())).Kind);
        Assert.Equal([1], await Steps());
        Assert.True(File.Exists(JournalPath));
    }

    [UnixFact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void The_journal_is_for_its_owner_alone()
    {
        Write(Entry("a"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(JournalPath));
    }

    // Bit by bit, as RFC 3720 has it.
    private static uint Crc32C(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }
        return ~crc;
    }
}
