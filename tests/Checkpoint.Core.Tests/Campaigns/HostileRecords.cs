using System.Text;

namespace Checkpoint.Tests;

/// <summary>Records whose checksum is right and whose content nobody ever saved.</summary>
internal static class HostileRecords
{
    /// <summary>For seven readings, two of them by the verification: the longest record has 16 MiB, and an entry that takes 8 bytes there takes one of a table, a name and a value in memory.</summary>
    public const long Bound = 7 * 320L << 20;

    /// <summary>The payload that records name.</summary>
    public const string PayloadName = "0000000002.0123456789abcdef0123456789abcdef.state";

    private const string Head = "{\n  \"format\": 1,\n  \"pipeline\": \"nightly\",\n  \"name\": \"ingest\",\n  \"step\": 2,\n  \"status\": \"completed\",\n  \"savedAt\": \"2026-03-01T12:00:00+00:00\"";

    // In the long form just below the longest record.
    private static readonly int Many = Campaign.IsLong ? 1_500_000 : 100_000;

    public static IEnumerable<(string How, Func<byte[]> Body)> Bodies =>
    [
        .. from depth in new[] { 300, 1000, 100_000, 4_000_000 }
           from place in new[] { "metadata\": {\"a\": #}", "state\": {\"value\": #}", "state\": {\"other\": #}", "other\": #", "fingerprint\": #", "outputFiles\": #", "identity\": {\"a\": #}" }
           select ($"{depth} levels in {place}", With(place, () => new string('[', depth) + new string(']', depth))),
        .. from number in new[] { "1e999999", "-1e999999", new string('9', 100_000), "0." + new string('1', 100_000), "1e-999999", "-0", "9223372036854775808", "-1", "1.5", "1152921504606846976", "4294967296", "1e3" }
           from place in new[] { "metadata\": {\"a\": #}", "metadata\": {\"a\": {\"$bigint\": \"#\"}}", "metadata\": {\"a\": {\"$decimal\": \"#\"}}", "metadata\": {\"a\": {\"$double\": \"#\"}}", "state\": {\"value\": #}", "step\": #", "processId\": #", "format\": #",
               "outputFiles\": [{\"path\": \"a\", \"size\": #, \"modifiedAt\": \"2026-03-01T11:59:59+00:00\", \"sha256\": \"" + GoldenRecord.Sha256 + "\"}]", Payload("length\": #, \"documentLength\": 1"), Payload("length\": 5, \"documentLength\": #"), Payload("length\": #, \"documentLength\": #") }
           select ($"the number {(number.Length > 30 ? $"of {number.Length} digits" : number)} in {place}", With(place, () => number)),
        .. from name in new[] { "format", "pipeline", "run", "name", "step", "status", "savedAt", "metadata", "state", "fingerprint", "outputFiles", "checksum" }
           from value in new[] { "1", "\"x\"", "null", "{}", "[]", "true" }
           select ($"{name} twice, the second {value}", With($"{name}\": #", () => value)),
        .. from bytes in new byte[][] { [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0], [0x1F] }
           from place in new[] { "metadata\": {\"a\": \"#\"}", "metadata\": {\"#\": 1}", "host\": \"#\"", "name\": \"#\"", "state\": {\"value\": \"#\"}", "fingerprint\": {\"value\": \"#\", \"parts\": {}}", "fingerprint\": {\"value\": \"a\", \"parts\": {\"#\": \"b\"}}", "#\": 1", Payload("file\": \"#\", \"length\": 5, \"documentLength\": 5") }
           select ($"the bytes {Convert.ToHexString(bytes)} in {place}", With(place, () => Encoding.Latin1.GetString(bytes))),
        .. from text in new[] { @"\ud800", @"\udc00\ud800", @"\u0000", "../../x", "/etc/passwd", @"C:\\x" }
           from place in new[] { "metadata\": {\"a\": \"#\"}", "metadata\": {\"#\": 1}", "name\": \"#\"", "run\": \"#\"", "state\": {\"value\": \"#\"}", Payload("file\": \"#\", \"length\": 5, \"documentLength\": 5") }
           select ($"the text {text} in {place}", With(place, () => text)),
        ("many entries of the metadata", With("metadata\": {#}", () => Repeat(i => $"\"{i:x}\":1"))),
        ("many doubled entries of the metadata", With("metadata\": {#}", () => Repeat(_ => "\"a\":1"))),
        ("many entries of the identity", With("identity\": {#}", () => Repeat(i => $"\"{i:x}\":1"))),
        ("a long list in the metadata", With("metadata\": {\"a\": [#]}", () => Repeat(_ => "1"))),
        ("many parts of the fingerprint", With("fingerprint\": {\"value\": \"a\", \"parts\": {#}}", () => Repeat(i => $"\"{i:x}\":\"\""))),
        ("many members", With("other\": 1,#", () => Repeat(_ => "\"a\":1"))),
        ("many output files", With("outputFiles\": [#]", () => Repeat(_ => "{}"))),
        ("a long state", With("state\": {\"value\": [#]}", () => Repeat(_ => "1"))),
    ];

    private static string Payload(string members) =>
        $"state\": {{\"payload\": {{\"file\": \"{PayloadName}\", \"{members}, \"sha256\": \"{GoldenRecord.Sha256}\"}}}}";

    private static string Repeat(Func<int, string> entry) => string.Join(',', Enumerable.Range(0, Many).Select(entry));

    // Latin-1, so that each character is a byte, whatever UTF-8 says of it.
    private static Func<byte[]> With(string member, Func<string> value) => () => Encoding.Latin1.GetBytes($"{Head},\n  \"{member.Replace("#", value(), StringComparison.Ordinal)}");
}
