using System.Numerics;

namespace Checkpoint.Tests;

public sealed class ItemKeyTests
{
    public static TheoryData<object, string> Keys => new()
    {
        { "Host1", "Host1" }, { "", "" }, { 'x', "x" }, { true, "true" }, { DayOfWeek.Friday, "Friday" },
        { 1, "1" }, { 1L, "1" }, { (byte)1, "1" }, { 1.0, "1" }, { 1.00m, "1" }, { 1.5f, "1.5" }, { 1.5, "1.5" }, { 1.50m, "1.5" }, { -0.0, "0" }, { 0.1f, "0.1" },
        { 1e15, "1000000000000000" }, { 1e20, "100000000000000000000" }, { -1e15, "-1000000000000000" }, { 1152921504606846976.0, "1152921504606846976" }, { 16777216f, "16777216" },
        { 1e-7, "0.0000001" }, { -1.25e-7, "-0.000000125" }, { 0.0000001m, "0.0000001" }, { 1000000000000000.5, "1000000000000000.5" }, { 1e-7f, "0.0000001" }, { (Half)0.5f, "0.5" }, { -0.0m, "0" },
        { double.NegativeInfinity, "-Infinity" }, { double.NaN, "NaN" }, { new BigInteger(12), "12" }, { Int128.MaxValue, "170141183460469231731687303715884105727" },
        { Guid.Parse("0F8FAD5B-D9CB-469F-A165-70867728950E"), "0f8fad5b-d9cb-469f-a165-70867728950e" },
        { new DateTime(2026, 3, 1, 4, 5, 6, DateTimeKind.Utc), "2026-03-01T04:05:06.0000000Z" },
        { new DateTimeOffset(2026, 3, 1, 4, 5, 6, TimeSpan.FromHours(1)), "2026-03-01T04:05:06.0000000+01:00" },
        { new DateOnly(2026, 3, 1), "2026-03-01" }, { new TimeOnly(4, 5), "04:05:00.0000000" }, { TimeSpan.FromHours(36), "1.12:00:00" },
        { new Version(1, 2, 3), "1.2.3" }, { new Uri("http://a/b c"), "http://a/b c" },
    };

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_value_has_the_same_key_in_every_culture(object value, string key)
    {
        using var culture = new InCulture("de-DE");
        Assert.Equal(key, ItemKey.TextOf(value));
    }

    [Fact]
    public void What_no_text_stands_for_has_no_key()
    {
        Assert.Null(ItemKey.TextOf(null));
        Assert.Null(ItemKey.TextOf(new object()));
        Assert.Null(ItemKey.TextOf(new[] { 1 }));
        Assert.Null(ItemKey.TextOf(new FileInfo("x")));
    }

    [Fact]
    public void Keys_are_told_apart_by_every_character_and_by_case()
    {
        string[] keys = ["a", "A", "a ", "\u00e4", "a\u0308", "\ud800", "\ud801", "\ufffd", ""];
        Assert.Equal(keys.Length, keys.Select(ItemId.Of).Distinct().Count());
    }

    // Computed with: printf host1 | iconv -t utf-16le | sha256sum
    [Fact]
    public void An_id_is_half_of_the_sha256_of_the_utf16() => Assert.Equal("65cf4808f7634bfd9dc1839612f497b8", ItemId.Of("host1").ToString());
}
