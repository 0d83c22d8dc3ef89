using System.Collections.ObjectModel;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>Every scalar comes back with the same .NET type and value.</summary>
public sealed class ScalarTests(ITestOutputHelper output)
{
    private static readonly object?[] Values =
    [
        null, true, false,
        byte.MinValue, byte.MaxValue, sbyte.MinValue, sbyte.MaxValue, (sbyte)-1, short.MinValue, short.MaxValue, ushort.MaxValue,
        0, -1, int.MinValue, int.MaxValue, uint.MaxValue, 0L, 5L, -5L, long.MinValue, long.MaxValue, ulong.MaxValue,
        Int128.MinValue, Int128.MaxValue, UInt128.MaxValue, UInt128.Zero, (nint)(-3), nint.MaxValue, (nuint)3, nuint.MaxValue,
        Half.Epsilon, Half.MaxValue, Half.NaN, Half.NegativeInfinity, Half.NegativeZero, (Half)0.1,
        0f, -0f, 0.1f, float.Epsilon, float.MaxValue, float.MinValue, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1f,
        BitConverter.UInt32BitsToSingle(0x7fc00000), BitConverter.UInt32BitsToSingle(0xffc00001), BitConverter.UInt16BitsToHalf(0x7e00), BitConverter.UInt64BitsToDouble(0x7ff8000000000000), BitConverter.UInt64BitsToDouble(0xfff800000000abcd),
        0d, -0d, 1d, 0.1, 1 / 3d, 100d, -1e22, 1e300, double.Epsilon, double.MaxValue, double.MinValue, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 123456789012345680d, 2.2250738585072014E-308,
        0m, -0.0m, 1.00m, 0.1m, decimal.MaxValue, decimal.MinValue, 0.0000000000000000000000000001m, -7.5000m,
        BigInteger.Zero, BigInteger.Parse("-123456789012345678901234567890123456789012345678901234567890", CultureInfo.InvariantCulture), BigInteger.Pow(2, 4000),
        'a', '\0', '\n', 'ä', '\ud83d', '\ude00', '\uffff',
        "", " ", "a", "Straße \"quoted\" \\ / \t\r\n\0 <tag> & 'x' +", "日本語 😀 \u2028\u2029\u0085\u00a0\u200b", "\ud83d", "\ude00\ud83d", "a\ud800b", "\ufeff\uffff\ufffe", "$int64", "{\"$int64\":\"5\"}", "1", "null", new string('x', 5000),
        DateTime.MinValue, DateTime.MaxValue, DateTime.UnixEpoch, new DateTime(2026, 2, 28, 23, 59, 59, 999, DateTimeKind.Utc).AddTicks(9999), new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Unspecified), new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Local),
        DateTimeOffset.MinValue, DateTimeOffset.MaxValue, new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.FromMinutes(345)).AddTicks(1), new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.FromHours(-14)),
        TimeSpan.Zero, TimeSpan.MinValue, TimeSpan.MaxValue, TimeSpan.FromTicks(1), TimeSpan.FromTicks(-1), TimeSpan.FromDays(1.5),
        DateOnly.MinValue, DateOnly.MaxValue, new DateOnly(2024, 2, 29), TimeOnly.MinValue, TimeOnly.MaxValue, new TimeOnly(12, 30, 15, 999),
        Guid.Empty, Guid.AllBitsSet, new Guid("00010203-0405-0607-0809-0a0b0c0d0e0f"),
        new Uri("https://example.org/a b?q=ä#f"), new Uri("HTTP://EXAMPLE.org:80/%7e"), new Uri("/a/b", UriKind.Relative), new Uri("a/b", UriKind.Relative), new Uri("", UriKind.Relative), new Uri("../x?y", UriKind.Relative), new Uri("file:///tmp/a%20b"), new Uri("mailto:a@example.org"), new Uri("relative:x", UriKind.RelativeOrAbsolute), new Uri("absolute:x", UriKind.RelativeOrAbsolute), new Uri("//host/share", UriKind.RelativeOrAbsolute),
        new Version(1, 2), new Version(1, 2, 3), new Version(1, 2, 3, 4), new Version(0, 0), new Version(int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue),
    ];

    public static TheoryData<string> Cultures => ["", "de-DE", "tr-TR", "ar-SA", "fa-IR", "sv-SE"];

    [Theory]
    [MemberData(nameof(Cultures))]
    public void Every_scalar_comes_back_with_its_type_and_value_in_every_culture(string culture)
    {
        using var _ = new InCulture(culture);
        foreach (var value in Values)
            AssertSame(value, ReadFact(WriteFact(value)));
    }

    [Theory]
    [MemberData(nameof(Cultures))]
    public void What_was_written_in_one_culture_is_the_same_text_in_another(string culture)
    {
        var invariant = Values.Select(WriteFact).ToList();
        using var _ = new InCulture(culture);
        Assert.Equal(invariant, Values.Select(WriteFact));
    }

    [Fact]
    public void Random_numbers_come_back_to_the_bit()
    {
        var random = Seeds.New(output);
        for (var i = 0; i < 5000; i++)
        {
            AssertSame(BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue)));
            AssertSame(BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)));
            AssertSame(BitConverter.UInt16BitsToHalf((ushort)random.Next(ushort.MaxValue + 1)));
            AssertSame(random.NextInt64(long.MinValue, long.MaxValue));
            AssertSame(random.Next(int.MinValue, int.MaxValue));
            AssertSame(new decimal(random.Next(), random.Next(), random.Next(), random.Next(2) == 0, (byte)random.Next(29)));
            AssertSame(new DateTime(random.NextInt64(DateTime.MaxValue.Ticks), (DateTimeKind)random.Next(2)));
            AssertSame(new TimeSpan(random.NextInt64(long.MinValue, long.MaxValue)));
            AssertSame(new BigInteger(random.NextInt64(long.MinValue, long.MaxValue)) * random.NextInt64());
            AssertSame((char)random.Next(char.MaxValue + 1));
        }
    }

    [Fact]
    public void Every_text_of_utf_16_comes_back()
    {
        var random = Seeds.New(output);
        for (var i = 0; i < 3000; i++)
        {
            var text = new char[random.Next(1, 30)];
            for (var j = 0; j < text.Length; j++)
                text[j] = (char)(random.Next(3) == 0 ? random.Next(0xD800, 0xE000) : random.Next(0x10000));
            AssertSame(new string(text));
        }
    }

    [Theory]
    [InlineData(null, "null")]
    [InlineData(true, "true")]
    [InlineData(5, "5")]
    [InlineData(-5, "-5")]
    [InlineData(5d, "5.0")]
    [InlineData(-0d, "-0.0")]
    [InlineData(0.1, "0.1")]
    [InlineData(1e22, "1E+22")]
    [InlineData("a\"ä😀", "\"a\\\"ä\\uD83D\\uDE00\"")]
    [InlineData(5L, "{\"$int64\":\"5\"}")]
    [InlineData(5f, "{\"$single\":\"5\"}")]
    [InlineData(double.NaN, "{\"$double\":\"NaN\"}")]
    [InlineData(double.NegativeInfinity, "{\"$double\":\"-Infinity\"}")]
    [InlineData('a', "{\"$char\":\"97\"}")]
    [InlineData((byte)7, "{\"$byte\":\"7\"}")]
    public void The_form_of_common_values_never_changes(object? value, string json) => Assert.Equal(json, WriteFact(value));

    [Fact]
    public void The_form_of_other_values_never_changes()
    {
        Assert.Equal("{\"$decimal\":\"1.00\"}", WriteFact(1.00m));
        Assert.Equal("{\"$datetime\":\"2026-03-01T12:00:00.0000001Z\"}", WriteFact(new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc).AddTicks(1)));
        Assert.Equal("{\"$datetime\":\"2026-03-01T12:00:00.0000000\"}", WriteFact(new DateTime(2026, 3, 1, 12, 0, 0)));
        Assert.Equal("{\"$datetimeoffset\":\"2026-03-01T12:00:00.0000000+05:45\"}", WriteFact(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.FromMinutes(345))));
        Assert.Equal("{\"$timespan\":\"-1.02:03:04.0000005\"}", WriteFact(-(new TimeSpan(1, 2, 3, 4) + TimeSpan.FromTicks(5))));
        Assert.Equal("{\"$date\":\"2024-02-29\"}", WriteFact(new DateOnly(2024, 2, 29)));
        Assert.Equal("{\"$time\":\"12:30:15.9990000\"}", WriteFact(new TimeOnly(12, 30, 15, 999)));
        Assert.Equal("{\"$guid\":\"00010203-0405-0607-0809-0a0b0c0d0e0f\"}", WriteFact(new Guid("00010203-0405-0607-0809-0a0b0c0d0e0f")));
        Assert.Equal("{\"$version\":\"1.2.3\"}", WriteFact(new Version(1, 2, 3)));
        Assert.Equal("{\"$uri\":\"absolute:https://example.org/\"}", WriteFact(new Uri("https://example.org/")));
        Assert.Equal("{\"$uri\":\"relative:/a/b\"}", WriteFact(new Uri("/a/b", UriKind.Relative)));
        Assert.Equal("{\"$utf16\":\"PdgA3g==\"}"[..11], WriteFact("\ud83d")[..11]);
        Assert.Equal("{\"$utf16\":\"Pdg=\"}", WriteFact("\ud83d"));
        Assert.Equal("{\"$bigint\":\"-12345678901234567890\"}", WriteFact(BigInteger.Parse("-12345678901234567890", CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void The_names_of_the_types_never_change()
    {
        string[] names =
        [
            "bool", "byte", "sbyte", "int16", "uint16", "int32", "uint32", "int64", "uint64", "int128", "uint128", "nint", "nuint", "half", "single", "double", "decimal", "bigint", "char",
            "datetime", "datetimeoffset", "timespan", "date", "time", "guid", "uri", "version", "string",
        ];
        foreach (var name in names)
        {
            var type = ScalarType.Named(name);
            Assert.NotNull(type);
            Assert.Equal(name, type.Name);
            Assert.Same(type, ScalarType.For(type.Type));
        }
        Assert.Equal(names.Length, Values.Where(v => v is not null).Select(v => v!.GetType()).Distinct().Count());
        Assert.All(Values.Where(v => v is not null), v => Assert.NotNull(ScalarType.For(v!.GetType())));
        Assert.Null(ScalarType.Named("object"));
        Assert.Null(ScalarType.Named("INT64"));
        Assert.Null(ScalarType.For(typeof(object)));
        Assert.Null(ScalarType.For(typeof(DayOfWeek)));
    }

    [Theory]
    [InlineData("\"x\"", true)]
    [InlineData("2147483648", false)]
    [InlineData("-2147483649", false)]
    [InlineData("{}", false)]
    [InlineData("{\"int64\":\"5\"}", false)]
    [InlineData("{\"$nothing\":\"5\"}", false)]
    [InlineData("{\"$\":\"5\"}", false)]
    [InlineData("{\"$System.Diagnostics.Process\":\"5\"}", false)]
    [InlineData("{\"$int64\":5}", false)]
    [InlineData("{\"$int64\":\"5\",\"x\":1}", false)]
    [InlineData("{\"$int64\":\"\"}", false)]
    [InlineData("{\"$int64\":\" 5\"}", false)]
    [InlineData("{\"$int64\":\"5.0\"}", false)]
    [InlineData("{\"$int64\":\"1,000\"}", false)]
    [InlineData("{\"$int64\":\"9223372036854775808\"}", false)]
    [InlineData("{\"$byte\":\"256\"}", false)]
    [InlineData("{\"$byte\":\"-1\"}", false)]
    [InlineData("{\"$char\":\"65536\"}", false)]
    [InlineData("{\"$decimal\":\"1e5\"}", false)]
    [InlineData("{\"$datetime\":\"yesterday\"}", false)]
    [InlineData("{\"$datetime\":\"01.03.2026\"}", false)]
    [InlineData("{\"$guid\":\"{00010203-0405-0607-0809-0a0b0c0d0e0f}\"}", false)]
    [InlineData("{\"$uri\":\"https://example.org\"}", false)]
    [InlineData("{\"$version\":\"1\"}", false)]
    [InlineData("{\"$version\":\"99999999999.1\"}", false)]
    [InlineData("{\"$utf16\":\"?\"}", false)]
    [InlineData("{\"$timespan\":\"99999999999999999999\"}", false)]
    [InlineData("{\"$time\":\"25:00:00.0000000\"}", false)]
    [InlineData("{\"$bool\":\"yes\"}", false)]
    [InlineData("[{}]", false)]
    [InlineData("[[1]]", false)]
    [InlineData("[1,2.5,null,\"x\"]", true)]
    public void What_is_no_scalar_is_no_guess_but_an_error(string json, bool isScalar)
    {
        if (isScalar)
            ReadFact(json);
        else
            Assert.ThrowsAny<JsonException>(() => ReadFact(json));
    }

    [Fact]
    public void Metadata_keeps_flat_lists_and_refuses_anything_deeper_by_name()
    {
        var list = Assert.IsType<ReadOnlyCollection<object?>>(ReadFact(WriteFact(new object?[] { 1, 2L, "x", null, double.NaN })));
        Assert.Equal(new object?[] { 1, 2L, "x", null, double.NaN }, list);
        Assert.Empty(Assert.IsType<ReadOnlyCollection<object?>>(ReadFact(WriteFact(Array.Empty<int>()))));
        Assert.Equal(new object?[] { 1, 2 }, Assert.IsType<ReadOnlyCollection<object?>>(ReadFact(WriteFact(new List<int> { 1, 2 }))));

        AssertRefused(new object(), "metadata.fact");
        AssertRefused(new Dictionary<string, int>(), "metadata.fact");
        AssertRefused(new int[1, 1], "metadata.fact");
        AssertRefused(DayOfWeek.Monday, "metadata.fact");
        AssertRefused(new object[] { 1, new object[] { 2 } }, "metadata.fact[1]");
        AssertRefused(new object[] { new object() }, "metadata.fact[0]");
    }

    [Fact]
    public void The_keys_of_metadata_are_any_text_and_their_order_is_kept()
    {
        string[] keys = ["b", "a", "$int64", "", "with \"signs\"", "日本", "z.y"];
        var facts = ReadFacts(WriteFacts(keys.ToDictionary(k => k, k => (object?)k)));
        Assert.Equal(keys, facts.Keys);
        Assert.All(keys, k => Assert.Equal(k, facts[k]));
        Assert.Equal("b", facts["B"]);
        var error = Assert.Throws<UnkeptValueException>(() => WriteFacts(new() { ["\ud800"] = 1 }));
        Assert.Equal(CheckpointErrorKind.StateNotSerializable, error.Kind);
    }

    [Fact]
    public void Arrays_of_numbers_are_kept_as_their_memory()
    {
        foreach (var (array, size) in new (Array, int)[]
        {
            (new bool[] { true, false }, 1), (new byte[] { 1, 255 }, 1), (new sbyte[] { -1 }, 1), (new short[] { -2 }, 2), (new ushort[] { 65535 }, 2), (new int[] { -3, 4 }, 4), (new uint[] { 5 }, 4), (new long[] { -6 }, 8),
            (new ulong[] { 7 }, 8), (new Half[] { (Half)0.5 }, 2), (new float[] { -0f, float.NaN }, 4), (new double[] { -0d, double.NaN, 0.1 }, 8), (new char[] { '\ud800', 'a' }, 2),
        })
        {
            var type = ScalarType.For(array.GetType().GetElementType()!)!;
            Assert.Equal(size, type.BlobElementSize);
            var bytes = type.AsBytes(array).SelectMany(m => m.ToArray()).ToArray();
            Assert.Equal(size * array.Length, bytes.Length);
            var copy = type.NewArray(array.Length);
            Assert.Equal(array.GetType(), copy.GetType());
            var target = Assert.Single(type.AsBytes(copy));
            bytes.CopyTo(target);
            Assert.Equal(array, copy);
            Assert.Empty(type.AsBytes(type.NewArray(0)).SelectMany(m => m.ToArray()));
        }
        foreach (var type in new[] { typeof(decimal), typeof(DateTime), typeof(string), typeof(Guid), typeof(Uri), typeof(BigInteger), typeof(nint), typeof(Int128) })
            Assert.Equal(0, ScalarType.For(type)!.BlobElementSize);
    }

    private static void AssertRefused(object value, string path)
    {
        var error = Assert.Throws<UnkeptValueException>(() => WriteFact(value));
        Assert.Equal(CheckpointErrorKind.StateNotSerializable, error.Kind);
        Assert.Equal(path, error.Path);
    }

    private static void AssertSame(object? value) => AssertSame(value, ReadFact(WriteFact(value)));

    internal static void AssertSame(object? expected, object? actual)
    {
        Assert.Equal(expected?.GetType(), actual?.GetType());
        switch (expected)
        {
            case double number:
                // The bits, so that -0.0 is not 0.0, and one NaN not another.
                Assert.True(BitConverter.DoubleToInt64Bits(number) == BitConverter.DoubleToInt64Bits((double)actual!), $"{number:R} came back as {actual:R}");
                break;
            case float number:
                Assert.True(BitConverter.SingleToInt32Bits(number) == BitConverter.SingleToInt32Bits((float)actual!), $"{number:R} came back as {actual:R}");
                break;
            case Half number:
                Assert.True(BitConverter.HalfToInt16Bits(number) == BitConverter.HalfToInt16Bits((Half)actual!), $"{number:R} came back as {actual:R}");
                break;
            case decimal number:
                Assert.Equal(decimal.GetBits(number), decimal.GetBits((decimal)actual!));
                break;
            case DateTime time:
                Assert.Equal((time.Ticks, time.Kind), (((DateTime)actual!).Ticks, ((DateTime)actual).Kind));
                break;
            case DateTimeOffset time:
                Assert.True(time.EqualsExact((DateTimeOffset)actual!));
                break;
            case Uri uri:
                Assert.Equal((uri.OriginalString, uri.IsAbsoluteUri, uri.ToString()), (((Uri)actual!).OriginalString, ((Uri)actual).IsAbsoluteUri, actual.ToString()));
                break;
            case string text:
                Assert.True(string.Equals(text, (string?)actual, StringComparison.Ordinal), string.Join(' ', text.Select(c => $"{(int)c:X4}")));
                break;
            default:
                Assert.Equal(expected, actual);
                break;
        }
    }

    private static string WriteFact(object? value)
    {
        var json = WriteFacts(new() { ["fact"] = value });
        return json["{\"fact\":".Length..^1];
    }

    private static object? ReadFact(string json) => ReadFacts($"{{\"fact\":{json}}}")["fact"];

    private static string WriteFacts(Dictionary<string, object?> facts)
    {
        var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, RecordFormat.WriterOptions with { Indented = false }))
            ScalarJson.WriteFacts(json, facts, "metadata");
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static ReadOnlyDictionary<string, object?> ReadFacts(string text)
    {
        var json = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), RecordFormat.ReaderOptions);
        Assert.True(json.Read());
        return ScalarJson.ReadFacts(ref json);
    }
}
