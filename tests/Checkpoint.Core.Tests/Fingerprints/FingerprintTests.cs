using System.Security.Cryptography;
using System.Text;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

public sealed class FingerprintTests(ITestOutputHelper output)
{
    [Fact]
    public void No_two_structures_share_a_hash()
    {
        static byte[] S(string text) => FingerprintHash.Scalar("string", text);
        static KeyValuePair<string, byte[]> P(string name, byte[] hash) => new(name, hash);
        (string What, byte[] Hash)[] hashes =
        [
            ("string ''", S("")), ("string 'ab'", S("ab")), ("string 'a'", S("a")), ("string 'A'", S("A")), ("string '1'", S("1")), ("integer 1", FingerprintHash.Scalar("integer", "1")), ("kind 'strin' text 'gab'", FingerprintHash.Scalar("strin", "gab")), ("kind '' text 'stringab'", FingerprintHash.Scalar("", "stringab")),
            ("('ab','c')", FingerprintHash.List([S("ab"), S("c")])), ("('a','bc')", FingerprintHash.List([S("a"), S("bc")])), ("('abc')", FingerprintHash.List([S("abc")])), ("('c','ab')", FingerprintHash.List([S("c"), S("ab")])), ("()", FingerprintHash.List([])), ("(())", FingerprintHash.List([FingerprintHash.List([])])),
            ("(('ab'),'c')", FingerprintHash.List([FingerprintHash.List([S("ab")]), S("c")])), ("(('ab','c'))", FingerprintHash.List([FingerprintHash.List([S("ab"), S("c")])])), ("('')", FingerprintHash.List([S("")])), ("('','')", FingerprintHash.List([S(""), S("")])),
            ("{}", FingerprintHash.Map([])), ("{ab=c}", FingerprintHash.Map([P("ab", S("c"))])), ("{a=bc}", FingerprintHash.Map([P("a", S("bc"))])), ("{a=1,b=2}", FingerprintHash.Map([P("a", S("1")), P("b", S("2"))])), ("{a=2,b=1}", FingerprintHash.Map([P("a", S("2")), P("b", S("1"))])), ("{A=1,b=2}", FingerprintHash.Map([P("A", S("1")), P("b", S("2"))])),
            ("{a={b=1}}", FingerprintHash.Map([P("a", FingerprintHash.Map([P("b", S("1"))]))])), ("{=ab}", FingerprintHash.Map([P("", S("ab"))])), ("{value='ab'}", FingerprintHash.Map([P("value", S("ab"))])),
            ("bytes", FingerprintHash.Bytes([])), ("bytes 61 62", FingerprintHash.Bytes("ab"u8)), ("bytes 61 00 62 00", FingerprintHash.Bytes(Encoding.Unicode.GetBytes("ab"))), ("bytes of a hash", FingerprintHash.Bytes(S("ab"))),
            ("whole 'ab'", FingerprintHash.Whole(S("ab"))), ("whole whole 'ab'", FingerprintHash.Whole(FingerprintHash.Whole(S("ab")))),
            ("half pair", S("\ud83d")), ("other half pair", S("\ud83e")), ("replacement", S("\ufffd")), ("composed", S("\u00e9")), ("decomposed", S("e\u0301")), ("zero", S("\0")), ("two zeros", S("\0\0")),
        ];
        foreach (var group in hashes.GroupBy(h => FingerprintHash.Hex(h.Hash)))
            Assert.True(group.Count() == 1, string.Join(" = ", group.Select(h => h.What)));
    }

    [Fact]
    public void Random_cuts_of_one_text_have_hashes_of_their_own()
    {
        var random = Seeds.New(output);
        var seen = new Dictionary<string, string>();
        for (var i = 0; i < 2000; i++)
        {
            var parts = new List<string>();
            for (var (rest, n) = ("aaaaaaaaaa", 0); rest.Length > 0; rest = rest[n..])
                parts.Add(rest[..(n = random.Next(rest.Length + 1))]);
            var said = string.Join('|', parts);
            var hash = FingerprintHash.Hex(FingerprintHash.List([.. parts.Select(p => FingerprintHash.Scalar("string", p))]));
            Assert.True(seen.TryAdd(hash, said) || seen[hash] == said, $"{said} = {seen[hash]}");
        }
    }

    [Fact]
    public void The_order_of_names_does_not_count_and_the_order_of_items_does()
    {
        var one = new Dictionary<string, byte[]> { ["a"] = [1], ["b"] = [2], ["ä"] = [3] };
        var two = new Dictionary<string, byte[]> { ["ä"] = [3], ["b"] = [2], ["a"] = [1] };
        Assert.Equal(FingerprintHash.Map(one), FingerprintHash.Map(two));
        Assert.Equal(FingerprintHash.Combine(one), FingerprintHash.Combine(two));
        Assert.NotEqual(FingerprintHash.List([.. one.Values]), FingerprintHash.List([.. two.Values]));
        using var _ = new InCulture("sv-SE");
        Assert.Equal(FingerprintHash.Map(one), FingerprintHash.Map(two));
    }

    [Fact]
    public void A_fingerprint_never_changes()
    {
        // Kind and text, each in UTF-16 behind its length in 8 bytes, little-endian.
        static byte[] Text(string s) => [.. BitConverter.GetBytes((long)s.Length), .. Encoding.Unicode.GetBytes(s)];
        Assert.Equal(SHA256.HashData([.. Text("string"), .. Text("ab")]), FingerprintHash.Scalar("string", "ab"));
        Assert.Equal(SHA256.HashData([.. Text("bytes"), 2, 0, 0, 0, 0, 0, 0, 0, 7, 8]), FingerprintHash.Bytes([7, 8]));
        var a = FingerprintHash.Scalar("string", "a");
        var b = FingerprintHash.Scalar("string", new string('b', 1000));
        Assert.Equal(SHA256.HashData([.. Text("string"), .. Text(new string('b', 1000))]), b);
        Assert.Equal(SHA256.HashData([.. Text("list"), 2, 0, 0, 0, 0, 0, 0, 0, .. a, .. b]), FingerprintHash.List([a, b]));
        Assert.Equal(SHA256.HashData([.. Text("map"), 2, 0, 0, 0, 0, 0, 0, 0, .. Text("x"), .. a, .. Text("y"), .. b]), FingerprintHash.Map([new("y", b), new("x", a)]));
        Assert.Equal(64, FingerprintHash.Combine(new Dictionary<string, byte[]> { ["x"] = a }).Value.Length);
    }

    [Fact]
    public void The_value_and_the_parts_are_64_lower_case_hex_digits_and_the_parts_in_order()
    {
        var fingerprint = FingerprintHash.Combine(new Dictionary<string, byte[]> { ["b"] = FingerprintHash.Bytes([1]), ["a"] = FingerprintHash.Bytes([2]), ["B"] = FingerprintHash.Bytes([3]) });
        Assert.Matches("^[0-9a-f]{64}$", fingerprint.Value);
        Assert.All(fingerprint.Parts.Values, h => Assert.Matches("^[0-9a-f]{64}$", h));
        Assert.Equal(["B", "a", "b"], fingerprint.Parts.Keys);
        Assert.Equal(fingerprint.Value, fingerprint.ToString());
        Assert.Equal(FingerprintHash.Hex(FingerprintHash.Bytes([1])), fingerprint.Parts["b"]);
    }

    [Fact]
    public void A_files_hash_is_that_which_other_tools_print()
    {
        using var temp = new TempFolder();
        var bytes = new byte[1_000_000];
        Seeds.New(output).NextBytes(bytes);
        foreach (var length in new[] { 0, 1, 131_072, 131_073, 1_000_000 })
        {
            var path = Path.Join(temp.Path, "file");
            File.WriteAllBytes(path, bytes[..length]);
            Assert.Equal(SHA256.HashData(bytes.AsSpan(0, length)), FingerprintHash.File(path, default));
        }
        Assert.ThrowsAny<OperationCanceledException>(() => FingerprintHash.File(Path.Join(temp.Path, "file"), new CancellationToken(true)));
        Assert.IsType<FileNotFoundException>(Assert.Throws<UnreadableFileException>(() => FingerprintHash.File(Path.Join(temp.Path, "none"), default)).InnerException);
    }

    [Fact]
    public void A_comparison_names_what_changed_came_and_went_in_order()
    {
        var saved = Of(("same", 1), ("z", 1), ("Gone", 1), ("changed", 1), ("case", 1));
        var current = Of(("same", 1), ("z", 1), ("new", 1), ("changed", 2), ("Case", 1));
        var changes = saved.CompareTo(current);
        Assert.Equal(["Case", "Gone", "case", "changed", "new"], changes.Select(c => c.Part));
        var changed = changes[3];
        Assert.Equal((saved.Parts["changed"], current.Parts["changed"]), (changed.SavedHash, changed.CurrentHash));
        Assert.Equal((saved.Parts["Gone"], null), (changes[1].SavedHash, changes[1].CurrentHash));
        Assert.Equal((null, current.Parts["new"]), (changes[4].SavedHash, changes[4].CurrentHash));
        Assert.Equal("changed", changed.ToString());
        Assert.Empty(saved.CompareTo(saved));
        Assert.Empty(saved.CompareTo(Of(("z", 1), ("same", 1), ("Gone", 1), ("changed", 1), ("case", 1))));
        Assert.Throws<ArgumentNullException>(() => saved.CompareTo(null!));
    }

    [Fact]
    public void Fingerprints_are_equal_when_their_values_are()
    {
        var one = Of(("a", 1), ("b", 2));
        var same = Of(("b", 2), ("a", 1));
        var other = Of(("a", 1), ("b", 3));
        Assert.Equal(one, same);
        Assert.Equal(one.GetHashCode(), same.GetHashCode());
        Assert.NotEqual(one, other);
        Assert.False(one.Equals(null));
        Assert.False(one.Equals("x"));
        Assert.True(one.Equals((object)same));
    }

    [Fact]
    public void Of_very_many_parts_groups_are_named_and_every_part_counts()
    {
        string[][] families =
        [
            [.. Enumerable.Range(0, 20_000).Select(i => $"key{i}")],
            [.. Enumerable.Range(0, 5_000).Select(i => $"/deep/inside/folder{i % 7}/sub{i % 100}/file{i}.txt")],
            [.. Enumerable.Range(0, 3_000).Select(i => char.ConvertFromUtf32(0x10000 + i) + "x")],
            [.. Enumerable.Range(0, 1_000).Select(i => $"few{i}")],
        ];
        foreach (var names in families)
        {
            var parts = names.ToDictionary(n => n, n => FingerprintHash.Scalar("string", n));
            var saved = FingerprintHash.Combine(parts);
            Assert.InRange(saved.Parts.Count, names.Length > 1000 ? 1 : 1000, 1000);
            Assert.All(saved.Parts.Keys, name => Assert.True(ScalarJson.IsUtf16(name)));
            for (var i = 0; i < names.Length; i += 1999)
            {
                var hash = parts[names[i]];
                parts[names[i]] = FingerprintHash.Scalar("string", "other");
                var change = Assert.Single(saved.CompareTo(FingerprintHash.Combine(parts)));
                Assert.StartsWith(change.Part.TrimEnd('…'), names[i], StringComparison.Ordinal);
                Assert.NotEqual(saved, FingerprintHash.Combine(parts));
                parts.Remove(names[i]);
                parts[names[i] + "-"] = hash;
                Assert.NotEmpty(saved.CompareTo(FingerprintHash.Combine(parts)));
                parts.Remove(names[i] + "-");
                parts[names[i]] = hash;
            }
        }
    }

    [Fact]
    public void Names_with_half_a_surrogate_pair_are_shown_by_their_number_and_stay_apart_in_the_value()
    {
        var (one, two) = (Of(("a\uD800", 1)), Of(("a\uD801", 1)));
        Assert.Equal(["a\\ud800"], one.Parts.Keys);
        Assert.NotEqual(one, two);
        Assert.Single(Of(("\uD800", 1), ("\\ud800", 2)).Parts);
        Assert.NotEqual(Of(("\uD800", 1), ("\\ud800", 2)), Of(("\uD800", 2), ("\\ud800", 1)));
    }

    private static CheckpointFingerprint Of(params (string Part, int Value)[] parts) =>
        FingerprintHash.Combine(parts.ToDictionary(p => p.Part, p => FingerprintHash.Bytes([(byte)p.Value])));
}
