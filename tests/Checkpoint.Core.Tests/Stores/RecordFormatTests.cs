using System.Collections.ObjectModel;
using System.Security.Cryptography;
using System.Text;
using Xunit.Abstractions;
using static Checkpoint.Tests.GoldenRecord;

namespace Checkpoint.Tests;

public sealed class RecordFormatTests(ITestOutputHelper output)
{
    [Fact]
    public void A_record_of_format_1_is_read_for_ever()
    {
        AssertSame(Info(), Parse(Encoding.UTF8.GetBytes(Text.ReplaceLineEndings("\n"))));
        AssertSame(PayloadInfo(), Parse(Encoding.UTF8.GetBytes(Payload.ReplaceLineEndings("\n"))));
    }

    [Fact]
    public void The_bytes_of_a_record_never_change()
    {
        AssertBytes(Text, RecordFormat.Serialize(Info(), Root));
        AssertBytes(Payload, RecordFormat.Serialize(PayloadInfo(), Root));
    }

    [Fact]
    public void A_record_begins_with_its_format_and_ends_with_the_checksum_of_all_before_it()
    {
        var bytes = RecordFormat.Serialize(Info(), Root);
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
        var bytes = RecordFormat.Serialize(Info(), Root);
        using var _ = new InCulture(culture);
        Assert.Equal(bytes, RecordFormat.Serialize(Info(), Root));
        AssertSame(Info(), Parse(bytes));
    }

    [Fact]
    public void Members_that_are_not_known_are_passed_over()
    {
        var text = Text
            .Replace("  \"pipeline\"", "  \"future\": {\"a\": [1, {\"b\": null}], \"name\": \"wrong\"},\n  \"pipeline\"", StringComparison.Ordinal)
            .Replace("    \"parts\"", "    \"algorithm\": \"sha256\",\n    \"parts\"", StringComparison.Ordinal)
            .Replace("      \"size\"", "      \"owner\": {\"sha256\": \"wrong\"},\n      \"size\"", StringComparison.Ordinal)
            .Replace("    \"sequence\"", "    \"encoding\": [\"x\"],\n    \"sequence\"", StringComparison.Ordinal)
            .Replace("  \"checksum\"", "  \"last\": [[[]]],\n  \"checksum\"", StringComparison.Ordinal);
        AssertSame(Info(), Parse(Bytes(text)));
        AssertSame(PayloadInfo(), Parse(Bytes(Payload.Replace("      \"length\"", "      \"codec\": {\"length\": 1},\n      \"length\"", StringComparison.Ordinal))));
    }

    [Fact]
    public void The_order_and_the_white_space_of_members_does_not_count()
    {
        const string Body = """{"format":1,"step":3,"name":"n","savedAt":"2026-03-01T14:00:00+02:00","pipeline":"p","status":"completed","checksum":"?"}""";
        var body = Encoding.UTF8.GetBytes(Body[..Body.LastIndexOf(",\"checksum\"", StringComparison.Ordinal)]);
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
    public void Output_files_below_the_folder_around_the_store_move_with_it_and_others_stay()
    {
        var sibling = Path.Join(Path.GetDirectoryName(Root)!, "sibling", "b");
        var info = Info(
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

    internal static void AssertSame(CheckpointInfo expected, CheckpointInfo actual)
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

    private static void AssertBytes(string expected, byte[] actual)
    {
        var body = Body(expected).ReplaceLineEndings(Environment.NewLine);
        Assert.Equal(Encoding.UTF8.GetString(Sign(Encoding.UTF8.GetBytes(body))), Encoding.UTF8.GetString(actual));
    }
}
