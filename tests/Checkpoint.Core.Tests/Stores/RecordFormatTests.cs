using System.Collections.ObjectModel;
using System.Security.Cryptography;
using System.Text;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

public sealed class RecordFormatTests(ITestOutputHelper output)
{
    private const string Sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    /// <summary>A record of format 1 as it was written once. It must be read for ever, so this text never changes.</summary>
    private const string Golden = """
        {
          "format": 1,
          "pipeline": "Nightly Böat",
          "run": "run №7",
          "name": "Ingest/1 \"x\" \uD83D\uDE00",
          "step": 42,
          "status": "completed",
          "savedAt": "2026-03-01T12:00:00.1234567+00:00",
          "host": "build-01",
          "user": "ops",
          "processId": 4711,
          "fingerprint": {
            "value": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "parts": {
              "config": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
              "inputs": "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13"
            }
          },
          "metadata": {
            "loss": 0.25,
            "Rows": {
              "$int64": "5"
            },
            "none": null,
            "ok": true,
            "epoch": 3,
            "note": "größer < kleiner & 'so'",
            "tags": [
              "a",
              1,
              {
                "$decimal": "1.00"
              }
            ]
          },
          "identity": {
            "model": "resnet"
          },
          "outputFiles": [
            {
              "path": "out/report.csv",
              "size": 12,
              "modifiedAt": "2026-03-01T11:59:59+00:00",
              "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
            }
          ],
          "state": {
            "sequence": false,
            "value": {"$hashtable":{"a":[1,{"$int64":"2"}]}}
          },
          "checksum": "ac56b399601d86e9741ee187436543d4b39a1085611a4f793ad3dec61cebc351"
        }

        """;

    private const string GoldenPayload = """
        {
          "format": 1,
          "pipeline": "default",
          "name": "train",
          "step": 0,
          "status": "completed",
          "savedAt": "2026-03-01T12:00:00+00:00",
          "host": "h",
          "user": "u",
          "processId": 1,
          "state": {
            "sequence": true,
            "payload": {
              "file": "0000000000.0123456789abcdef0123456789abcdef.state",
              "length": 5000000000,
              "documentLength": 17,
              "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
            }
          },
          "checksum": "2b6cde6f74de528d3cc54d890a338f89022fd7eafdf9f96736691e405e1fe906"
        }

        """;

    private static readonly string Root = OperatingSystem.IsWindows() ? @"C:\work" : "/work";

    [Fact]
    public void A_record_of_format_1_is_read_for_ever()
    {
        AssertSame(GoldenInfo(), Parse(Encoding.UTF8.GetBytes(Golden.ReplaceLineEndings("\n"))));
        AssertSame(GoldenPayloadInfo(), Parse(Encoding.UTF8.GetBytes(GoldenPayload.ReplaceLineEndings("\n"))));
    }

    [Fact]
    public void The_bytes_of_a_record_never_change()
    {
        AssertBytes(Golden, RecordFormat.Serialize(GoldenInfo(), Root));
        AssertBytes(GoldenPayload, RecordFormat.Serialize(GoldenPayloadInfo(), Root));
    }

    [Fact]
    public void A_record_begins_with_its_format_and_ends_with_the_checksum_of_all_before_it()
    {
        var bytes = RecordFormat.Serialize(GoldenInfo(), Root);
        var text = Encoding.UTF8.GetString(bytes);
        Assert.StartsWith("{" + Environment.NewLine + "  \"format\": 1," + Environment.NewLine, text, StringComparison.Ordinal);
        var body = text[..text.LastIndexOf(",\n  \"checksum\": \"", StringComparison.Ordinal)];
        Assert.Equal(body + ",\n  \"checksum\": \"" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body))) + "\"\n}\n", text);
        using var json = System.Text.Json.JsonDocument.Parse(bytes);
        Assert.Equal("checksum", json.RootElement.EnumerateObject().Last().Name);
    }

    [Fact]
    public void Every_field_comes_back()
    {
        var random = Seeds.New(output);
        for (var i = 0; i < 300; i++)
        {
            var info = RandomInfo(random);
            AssertSame(info, Parse(RecordFormat.Serialize(info, Root)));
        }
    }

    [Theory]
    [InlineData("de-DE")]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    public void A_record_is_the_same_in_every_culture(string culture)
    {
        var bytes = RecordFormat.Serialize(GoldenInfo(), Root);
        using var _ = new InCulture(culture);
        Assert.Equal(bytes, RecordFormat.Serialize(GoldenInfo(), Root));
        AssertSame(GoldenInfo(), Parse(bytes));
    }

    [Fact]
    public void A_change_of_any_byte_is_found()
    {
        var bytes = RecordFormat.Serialize(GoldenInfo(), Root);
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
        AssertSame(GoldenInfo(), Parse(bytes));
    }

    [Fact]
    public void A_record_that_is_cut_anywhere_is_found()
    {
        var bytes = RecordFormat.Serialize(GoldenInfo(), Root);
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
        var bytes = RecordFormat.Serialize(GoldenInfo(), Root);
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
        var text = Encoding.UTF8.GetString(RecordFormat.Serialize(GoldenInfo(), Root));
        var at = text.LastIndexOf("\"checksum\": \"", StringComparison.Ordinal) + 13;
        AssertDamaged(Encoding.UTF8.GetBytes(text[..at] + text[at..].ToUpperInvariant()), "capitals");
    }

    [Fact]
    public void Members_that_are_not_known_are_passed_over()
    {
        var text = Golden
            .Replace("  \"pipeline\"", "  \"future\": {\"a\": [1, {\"b\": null}], \"name\": \"wrong\"},\n  \"pipeline\"", StringComparison.Ordinal)
            .Replace("    \"parts\"", "    \"algorithm\": \"sha256\",\n    \"parts\"", StringComparison.Ordinal)
            .Replace("      \"size\"", "      \"owner\": {\"sha256\": \"wrong\"},\n      \"size\"", StringComparison.Ordinal)
            .Replace("    \"sequence\"", "    \"encoding\": [\"x\"],\n    \"sequence\"", StringComparison.Ordinal)
            .Replace("  \"checksum\"", "  \"last\": [[[]]],\n  \"checksum\"", StringComparison.Ordinal);
        AssertSame(GoldenInfo(), Parse(Bytes(text)));
        AssertSame(GoldenPayloadInfo(), Parse(Bytes(GoldenPayload.Replace("      \"length\"", "      \"codec\": {\"length\": 1},\n      \"length\"", StringComparison.Ordinal))));
    }

    [Fact]
    public void The_order_and_the_white_space_of_members_does_not_count()
    {
        const string Text = """{"format":1,"step":3,"name":"n","savedAt":"2026-03-01T14:00:00+02:00","pipeline":"p","status":"completed","checksum":"?"}""";
        var body = Encoding.UTF8.GetBytes(Text[..Text.LastIndexOf(",\"checksum\"", StringComparison.Ordinal)]);
        var info = Parse(Sign(body));
        Assert.Equal(("p", null, "n", 3L), (info.Pipeline, info.Run, info.Name, info.Step));
        Assert.Equal(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero), info.SavedAt);
        Assert.Equal(TimeSpan.Zero, info.SavedAt.Offset);
        Assert.Equal(("", "", 0), (info.Host, info.User, info.ProcessId));
        Assert.Empty(info.Metadata);
        Assert.Empty(info.OutputFiles);
        Assert.Null(info.State);
        Assert.Null(info.Fingerprint);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(9999)]
    [InlineData(long.MaxValue)]
    public void A_newer_format_is_named_and_whatever_it_holds_is_not_looked_at(long version)
    {
        foreach (var rest in new[] { "", ",\"name\":7", ",\"everything\":{\"is\":\"different\"}" })
        {
            var bytes = Sign(Encoding.UTF8.GetBytes($"{{\"format\":{version}{rest}"));
            Assert.Equal(version, Assert.Throws<RecordTooNewException>(() => Parse(bytes)).Version);
        }
    }

    [Fact]
    public void Damage_is_never_taken_for_a_newer_format()
    {
        var bytes = Bytes(Golden.Replace("\"format\": 1", "\"format\": 2", StringComparison.Ordinal));
        Assert.Throws<RecordTooNewException>(() => Parse(bytes));
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 1;
            AssertDamaged(bytes, $"byte {i}");
            bytes[i] ^= 1;
        }
        AssertDamaged(Bytes(Golden.Replace("\"format\": 1", "\"format\": 2", StringComparison.Ordinal), Checksum(Golden)), "format 2 with the checksum of format 1");
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
        Assert.Contains(member, Golden, StringComparison.Ordinal);
        AssertDamaged(Bytes(Golden.Replace(member, changed, StringComparison.Ordinal)), changed);
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
        Assert.Contains(member, GoldenPayload, StringComparison.Ordinal);
        AssertDamaged(Bytes(GoldenPayload.Replace(member, changed, StringComparison.Ordinal)), changed);
    }

    [Fact]
    public void Whatever_stands_there_with_a_right_checksum_gives_a_checkpoint_or_damage_and_no_other_error()
    {
        var random = Seeds.New(output);
        var golden = RecordFormat.Serialize(GoldenInfo(), Root);
        var payload = RecordFormat.Serialize(GoldenPayloadInfo(), Root);
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
        AssertDamaged(Bytes(Golden.Replace("\"loss\": 0.25", $"\"x\": 1}}, \"unknown\": {deep}, \"metadata\": {{\"loss\": 0.25", StringComparison.Ordinal)), "deep");
    }

    [Fact]
    public void Output_files_below_the_folder_around_the_store_move_with_it_and_others_stay()
    {
        var sibling = Path.Join(Path.GetDirectoryName(Root)!, "sibling", "b");
        var info = GoldenInfo(
        [
            File(Path.Join(Root, "out", "a b.csv")), File(Path.Join(Root, "x")), File(sibling), File(Path.Join(Root, "..foo")), File(Root + "-beside"),
        ]);
        var bytes = RecordFormat.Serialize(info, Root);
        var text = Encoding.UTF8.GetString(bytes);
        Assert.Contains("\"path\": \"out/a b.csv\"", text, StringComparison.Ordinal);
        Assert.Contains("\"path\": \"x\"", text, StringComparison.Ordinal);
        Assert.Contains("\"path\": \"..foo\"", text, StringComparison.Ordinal);
        Assert.Equal(info.OutputFiles.Select(f => f.Path), Parse(bytes).OutputFiles.Select(f => f.Path));

        var moved = OperatingSystem.IsWindows() ? @"D:\elsewhere\deep" : "/elsewhere/deep";
        Assert.Equal(
            [Path.Join(moved, "out", "a b.csv"), Path.Join(moved, "x"), sibling, Path.Join(moved, "..foo"), Root + "-beside"],
            RecordFormat.Parse(bytes, moved, "store", "location").OutputFiles.Select(f => f.Path));
    }

    [Fact]
    public void The_folder_around_a_store_is_its_parent()
    {
        Assert.Equal(Root, RecordReader.OutputRoot(Path.Join(Root, ".checkpoints")));
        Assert.Equal(Path.GetPathRoot(Root), RecordReader.OutputRoot(Path.GetPathRoot(Root)!));
    }

    private static OutputFile File(string path) => new(path, 12, new DateTimeOffset(2026, 3, 1, 11, 59, 59, TimeSpan.Zero), Sha256);

    private static CheckpointInfo GoldenInfo(IList<OutputFile>? files = null) => new()
    {
        Store = "store",
        Location = "location",
        Pipeline = "Nightly Böat",
        Run = "run №7",
        Name = "Ingest/1 \"x\" 😀",
        Step = 42,
        SavedAt = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero).AddTicks(1_234_567),
        Host = "build-01",
        User = "ops",
        ProcessId = 4711,
        Fingerprint = new CheckpointFingerprint(Sha256, new Dictionary<string, string>
        {
            ["config"] = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
            ["inputs"] = "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13",
        }),
        Metadata = new ReadOnlyDictionary<string, object?>(new Dictionary<string, object?>
        {
            ["loss"] = 0.25,
            ["Rows"] = 5L,
            ["none"] = null,
            ["ok"] = true,
            ["epoch"] = 3,
            ["note"] = "größer < kleiner & 'so'",
            ["tags"] = new object?[] { "a", 1, 1.00m },
        }),
        Identity = new ReadOnlyDictionary<string, object?>(new Dictionary<string, object?> { ["model"] = "resnet" }),
        OutputFiles = new ReadOnlyCollection<OutputFile>(files ?? [File(Path.Join(Root, "out", "report.csv"))]),
        State = new StoredState { IsSequence = false, Inline = "{\"$hashtable\":{\"a\":[1,{\"$int64\":\"2\"}]}}"u8.ToArray() },
    };

    private static CheckpointInfo GoldenPayloadInfo() => new()
    {
        Store = "store",
        Location = "location",
        Pipeline = "default",
        Name = "train",
        Step = 0,
        SavedAt = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero),
        Host = "h",
        User = "u",
        ProcessId = 1,
        State = new StoredState
        {
            IsSequence = true,
            Payload = "0000000000.0123456789abcdef0123456789abcdef.state",
            PayloadLength = 5_000_000_000,
            DocumentLength = 17,
            Sha256 = Convert.FromHexString(Sha256),
        },
    };

    private static CheckpointInfo RandomInfo(Random random)
    {
        var facts = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        for (var i = random.Next(5); i > 0; i--)
            facts[Seeds.Name(random)] = random.Next(6) switch { 0 => null, 1 => random.NextDouble(), 2 => random.NextInt64(), 3 => Seeds.Name(random), 4 => random.Next(2) == 0, _ => new object?[] { random.Next(), "x" } };
        var large = random.Next(2) == 0;
        var hash = new byte[32];
        random.NextBytes(hash);
        var step = random.NextInt64();
        return new()
        {
            Store = "store",
            Location = "location",
            Pipeline = Seeds.Name(random),
            Run = random.Next(2) == 0 ? null : Seeds.Name(random),
            Name = Seeds.Name(random),
            Step = step,
            SavedAt = new DateTimeOffset(random.NextInt64(DateTime.MaxValue.Ticks), TimeSpan.Zero),
            Host = Seeds.Name(random),
            User = Seeds.Name(random),
            ProcessId = random.Next(),
            Fingerprint = random.Next(2) == 0 ? null : new CheckpointFingerprint(Sha256, facts.Keys.ToDictionary(k => k, _ => Sha256)),
            Metadata = new(facts),
            Identity = random.Next(2) == 0 ? null : new(facts),
            OutputFiles = new([.. Enumerable.Range(0, random.Next(3)).Select(i => File(Path.Join(Root, "f" + i)))]),
            State = random.Next(3) == 0 ? null : large
                ? new StoredState { IsSequence = random.Next(2) == 0, Payload = FolderLayout.NewPayloadName(step), PayloadLength = 100, DocumentLength = random.Next(101), Sha256 = hash }
                : new StoredState { IsSequence = random.Next(2) == 0, Inline = Encoding.UTF8.GetBytes($"[{random.Next()},\"{random.Next()}\"]") },
        };
    }

    private static void AssertSame(CheckpointInfo expected, CheckpointInfo actual)
    {
        Assert.Equal(
            (expected.Store, expected.Location, expected.Pipeline, expected.Run, expected.Name, expected.Step, expected.Status, expected.SavedAt),
            (actual.Store, actual.Location, actual.Pipeline, actual.Run, actual.Name, actual.Step, actual.Status, actual.SavedAt));
        Assert.Equal((expected.Host, expected.User, expected.ProcessId, expected.StateSize, expected.Encrypted), (actual.Host, actual.User, actual.ProcessId, actual.StateSize, actual.Encrypted));
        Assert.Equal(expected.Fingerprint?.Value, actual.Fingerprint?.Value);
        Assert.Equal(expected.Fingerprint?.Parts.ToList(), actual.Fingerprint?.Parts.ToList());
        AssertSameFacts(expected.Metadata, actual.Metadata);
        AssertSameFacts(expected.Identity, actual.Identity);
        Assert.Equal(expected.OutputFiles.Select(f => (f.Path, f.Size, f.ModifiedAt, f.Sha256)), actual.OutputFiles.Select(f => (f.Path, f.Size, f.ModifiedAt, f.Sha256)));
        Assert.Equal(expected.State is null, actual.State is null);
        if (expected.State is not { } state)
            return;
        Assert.Equal((state.IsSequence, state.Payload, state.PayloadLength, state.DocumentLength), (actual.State!.IsSequence, actual.State.Payload, actual.State.PayloadLength, actual.State.DocumentLength));
        Assert.Equal(state.Sha256, actual.State.Sha256);
        Assert.Equal(state.Inline.ToArray(), actual.State.Inline.ToArray());
    }

    private static void AssertSameFacts(ReadOnlyDictionary<string, object?>? expected, ReadOnlyDictionary<string, object?>? actual)
    {
        Assert.Equal(expected?.Keys, actual?.Keys);
        foreach (var (name, value) in expected ?? CheckpointInfo.NoMetadata)
        {
            if (value is IEnumerable<object?> items)
                Assert.Equal(items, Assert.IsAssignableFrom<IEnumerable<object?>>(actual![name]));
            else
                ScalarTests.AssertSame(value, actual![name]);
        }
    }

    private static CheckpointInfo Parse(ReadOnlyMemory<byte> bytes) => RecordFormat.Parse(bytes, Root, "store", "location");

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
    private static void AssertBytes(string expected, byte[] actual)
    {
        var body = Body(expected).ReplaceLineEndings(Environment.NewLine);
        Assert.Equal(Encoding.UTF8.GetString(Sign(Encoding.UTF8.GetBytes(body))), Encoding.UTF8.GetString(actual));
    }

    private static string Body(string text) => text.ReplaceLineEndings("\n")[..text.ReplaceLineEndings("\n").LastIndexOf(",\n  \"checksum\"", StringComparison.Ordinal)];

    private static string Checksum(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Body(text))));

    /// <summary>The record with its checksum, or another one.</summary>
    private static byte[] Bytes(string text, string? checksum = null) => Encoding.UTF8.GetBytes(Body(text) + ",\n  \"checksum\": \"" + (checksum ?? Checksum(text)) + "\"\n}\n");

    private static byte[] Sign(byte[] body) => [.. body, .. Encoding.UTF8.GetBytes(",\n  \"checksum\": \"" + Convert.ToHexStringLower(SHA256.HashData(body)) + "\"\n}\n")];
}
