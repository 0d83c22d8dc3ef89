using System.Text;
using Xunit.Abstractions;
using static Checkpoint.Tests.GoldenRecord;

namespace Checkpoint.Tests;

public sealed class RecordDamageTests(ITestOutputHelper output)
{
    [Fact]
    public void A_change_of_any_byte_is_found()
    {
        var bytes = RecordFormat.Serialize(Info(), Root);
        for (var i = 0; i < bytes.Length; i++)
        {
            foreach (var bits in new byte[] { 1, 0x20, 0x80, 0xFF })
            {
                bytes[i] ^= bits;
                AssertDamaged(bytes, $"byte {i} ^ {bits}");
                bytes[i] ^= bits;
            }
            var old = bytes[i];
            foreach (var other in " \0\n\"{}[],:0a"u8)
            {
                bytes[i] = other;
                if (other != old)
                    AssertDamaged(bytes, $"byte {i} = {other}");
            }
            bytes[i] = old;
        }
        RecordFormatTests.AssertSame(Info(), Parse(bytes));
    }

    [Fact]
    public void A_record_that_is_cut_anywhere_is_found()
    {
        var bytes = RecordFormat.Serialize(Info(), Root);
        for (var length = 0; length < bytes.Length; length++)
        {
            AssertDamaged(bytes.AsMemory(0, length), $"cut to {length}");
            if (length > 0)
                AssertDamaged(bytes.AsMemory(length), $"without the first {length}");
        }
    }

    [Fact]
    public void Bytes_that_are_doubled_lost_swapped_added_or_zeroed_are_found()
    {
        var bytes = RecordFormat.Serialize(Info(), Root);
        var random = Seeds.New(output);
        AssertDamaged((byte[])[.. bytes, .. bytes], "twice");
        AssertDamaged((byte[])[.. bytes, (byte)'\n'], "a line more");
        AssertDamaged((byte[])[0xEF, 0xBB, 0xBF, .. bytes], "with a byte order mark");
        for (var i = 0; i < 3000; i++)
        {
            var start = random.Next(bytes.Length);
            var length = random.Next(1, Math.Min(600, bytes.Length - start) + 1);
            AssertDamaged((byte[])[.. bytes[..(start + length)], .. bytes[start..]], $"{length} doubled at {start}");
            AssertDamaged((byte[])[.. bytes[..start], .. bytes[(start + length)..]], $"{length} lost at {start}");
            AssertDamaged((byte[])[.. bytes[..start], .. new byte[length], .. bytes[(start + length)..]], $"{length} zeroed at {start}");
            AssertDamaged((byte[])[.. bytes[..start], (byte)random.Next(256), .. bytes[start..]], $"1 added at {start}");
            if (start + length < bytes.Length && !bytes.AsSpan(start, length).SequenceEqual(bytes.AsSpan(bytes.Length - length)))
                AssertDamaged((byte[])[.. bytes[..start], .. bytes[^length..], .. bytes[(start + length)..]], $"{length} overwritten at {start}");
        }
    }

    [Fact]
    public void A_checksum_in_capitals_is_another_byte_and_so_damage()
    {
        var text = Encoding.UTF8.GetString(RecordFormat.Serialize(Info(), Root));
        var at = text.LastIndexOf("\"checksum\": \"", StringComparison.Ordinal) + 13;
        AssertDamaged(Encoding.UTF8.GetBytes(text[..at] + text[at..].ToUpperInvariant()), "capitals");
    }

    [Fact]
    public void Damage_is_never_taken_for_a_newer_format()
    {
        var bytes = Bytes(Text.Replace("\"format\": 1", "\"format\": 2", StringComparison.Ordinal));
        Assert.Throws<RecordTooNewException>(() => Parse(bytes));
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 1;
            AssertDamaged(bytes, $"byte {i}");
            bytes[i] ^= 1;
        }
        AssertDamaged(Bytes(Text.Replace("\"format\": 1", "\"format\": 2", StringComparison.Ordinal), Checksum(Text)), "format 2 with the checksum of format 1");
    }

    [Theory]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"format\":0")]
    [InlineData("{\"format\":-1")]
    [InlineData("{\"format\":1.5")]
    [InlineData("{\"format\":\"1\"")]
    [InlineData("{\"format\":null")]
    [InlineData("{\"format\":99999999999999999999")]
    [InlineData("{\"name\":\"x\",\"format\":1")]
    [InlineData("{\"format\":1")]
    [InlineData("{\"format\":1}")]
    [InlineData("{\"format\":1,\"name\":\"open")]
    [InlineData("\u0000")]
    public void What_has_a_right_checksum_but_is_no_record_is_damage(string body) => AssertDamaged(Sign(Encoding.UTF8.GetBytes(body)), body);

    [Theory]
    [InlineData("\"pipeline\": \"Nightly Böat\"", "\"pipeline\": 5")]
    [InlineData("\"pipeline\": \"Nightly Böat\"", "\"pipeline\": null")]
    [InlineData("\"pipeline\": \"Nightly Böat\",", "")]
    [InlineData("\"name\":", "\"nam\":")]
    [InlineData("\"step\": 42", "\"step\": \"42\"")]
    [InlineData("\"step\": 42", "\"step\": 4.2")]
    [InlineData("\"step\": 42", "\"step\": 92233720368547758070")]
    [InlineData("\"step\": 42,", "")]
    [InlineData("\"status\": \"completed\"", "\"status\": \"failed\"")]
    [InlineData("\"status\": \"completed\"", "\"status\": true")]
    [InlineData("\"status\": \"completed\",", "")]
    [InlineData("2026-03-01T12:00:00.1234567+00:00", "yesterday")]
    [InlineData("2026-03-01T12:00:00.1234567+00:00", "2026-13-01T12:00:00")]
    [InlineData("\"processId\": 4711", "\"processId\": 99999999999")]
    [InlineData("\"metadata\": {", "\"metadata\": [], \"x\": {")]
    [InlineData("\"loss\": 0.25", "\"loss\": {\"$nothing\":\"1\"}")]
    [InlineData("\"loss\": 0.25", "\"loss\": {\"deep\":1}")]
    [InlineData("\"$int64\": \"5\"", "\"$int64\": \"five\"")]
    [InlineData("\"epoch\": 3", "\"epoch\": 3000000000")]
    [InlineData("\"value\": \"9f86", "\"val\": \"9f86")]
    [InlineData("\"parts\": {", "\"parts\": [], \"x\": {")]
    [InlineData("\"parts\": {", "\"parts\": {\"n\": 5,")]
    [InlineData("\"outputFiles\": [", "\"outputFiles\": [5,")]
    [InlineData("\"outputFiles\": [", "\"outputFiles\": [{\"path\":\"x\"},")]
    [InlineData("\"path\": \"out/report.csv\"", "\"path\": \"a\\u0000b\"")]
    [InlineData("\"size\": 12", "\"size\": -0.5")]
    [InlineData("\"state\": {", "\"state\": null, \"x\": {")]
    [InlineData("\"sequence\": false", "\"sequence\": \"no\"")]
    [InlineData("\"value\": {\"$hash", "\"valu\": {\"$hash")]
    [InlineData("\"note\": \"größer", "\"note\": \"\\ud800")]
    public void A_member_of_another_kind_is_damage_though_the_checksum_is_right(string member, string changed)
    {
        Assert.Contains(member, Text, StringComparison.Ordinal);
        AssertDamaged(Bytes(Text.Replace(member, changed, StringComparison.Ordinal)), changed);
    }

    [Theory]
    [InlineData("\"length\": 5000000000", "\"length\": 16")]
    [InlineData("\"length\": 5000000000", "\"length\": -1")]
    [InlineData("\"documentLength\": 17", "\"documentLength\": -17")]
    [InlineData("\"documentLength\": 17", "\"documentLength\": 5000000001")]
    [InlineData("\"documentLength\": 17", "\"documentLength\": 1e1")]
    [InlineData("\"file\":", "\"fil\":")]
    [InlineData("\"sha256\": \"9f", "\"sha256\": \"zz")]
    [InlineData("\"sha256\": \"9f", "\"sha256\": \"9")]
    public void A_payload_that_cannot_be_is_damage_though_the_checksum_is_right(string member, string changed)
    {
        Assert.Contains(member, Payload, StringComparison.Ordinal);
        AssertDamaged(Bytes(Payload.Replace(member, changed, StringComparison.Ordinal)), changed);
    }

    [Fact]
    public void Whatever_stands_there_with_a_right_checksum_gives_a_checkpoint_or_damage_and_no_other_error()
    {
        var random = Seeds.New(output);
        var golden = RecordFormat.Serialize(Info(), Root);
        var payload = RecordFormat.Serialize(PayloadInfo(), Root);
        ReadOnlySpan<byte> signs = "{}[]\",:\\0123456789eE+-.$ntf \u00e9"u8;
        var read = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var source = i % 3 == 0 ? payload : golden;
            var end = source.AsSpan().LastIndexOf(",\n  \"checksum\""u8);
            var body = source.AsSpan(0, end).ToArray().ToList();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                var at = random.Next(body.Count);
                switch (random.Next(4))
                {
                    case 0:
                        body[at] = signs[random.Next(signs.Length)];
                        break;
                    case 1:
                        body[at] = (byte)random.Next(256);
                        break;
                    case 2:
                        body.RemoveRange(at, Math.Min(body.Count - at, random.Next(1, 20)));
                        break;
                    default:
                        body.InsertRange(at, body.GetRange(at, Math.Min(body.Count - at, random.Next(1, 20))));
                        break;
                }
                if (body.Count == 0)
                    body.Add((byte)'{');
            }
            try
            {
                Parse(Sign([.. body]));
                read++;
            }
            catch (Exception e) when (e is InvalidDataException or RecordTooNewException)
            {
            }
        }
        output.WriteLine($"{read} of 20000 were read");
    }

    [Fact]
    public void Nesting_beyond_measure_is_damage()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 5000)) + string.Concat(Enumerable.Repeat("]", 5000));
        AssertDamaged(Bytes(Text.Replace("\"loss\": 0.25", $"\"x\": 1}}, \"unknown\": {deep}, \"metadata\": {{\"loss\": 0.25", StringComparison.Ordinal)), "deep");
    }

    private static void AssertDamaged(ReadOnlyMemory<byte> bytes, string what)
    {
        try
        {
            Parse(bytes);
        }
        catch (InvalidDataException)
        {
            return;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Assert.Fail($"{what}: {e.GetType()}: {e.Message}");
        }
        Assert.Fail($"{what}: it was read as a checkpoint");
    }

    // Windows ends lines of the body otherwise; nobody but the checksum minds.
}
