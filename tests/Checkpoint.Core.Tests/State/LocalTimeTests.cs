namespace Checkpoint.Tests;

/// <summary>The zone belongs to the whole process, so these run alone.</summary>
[CollectionDefinition(nameof(LocalTimeTests), DisableParallelization = true)]
public sealed class LocalTimeTestsAlone;

[Collection(nameof(LocalTimeTests))]
public sealed class LocalTimeTests : IDisposable
{
    private readonly string? _zone = Environment.GetEnvironmentVariable("TZ");

    public void Dispose() => Use(_zone);

    [Theory]
    [InlineData("UTC")]
    [InlineData("Europe/Berlin")]
    [InlineData("America/New_York")]
    [InlineData("Asia/Tokyo")]
    [InlineData("Asia/Kathmandu")]
    [InlineData("Pacific/Kiritimati")]
    public void A_local_time_comes_back_as_the_same_wall_clock_in_the_same_zone(string zone)
    {
        Use(zone);
        var type = ScalarType.For(typeof(DateTime))!;
        DateTime[] times =
        [
            new(2026, 1, 15, 12, 0, 0), new(2026, 7, 15, 12, 0, 0), new(1900, 1, 1, 0, 0, 0), new(1970, 1, 1, 0, 0, 0), new(2100, 1, 1, 0, 0, 0),
            // Skipped and doubled by summer time in Berlin and New York.
            new(2024, 3, 31, 2, 30, 0), new(2024, 10, 27, 2, 30, 0), new(2024, 3, 10, 2, 30, 0), new(2024, 11, 3, 1, 30, 0),
            DateTime.MinValue, DateTime.MinValue.AddTicks(1), DateTime.MinValue.AddHours(9), DateTime.MaxValue, DateTime.MaxValue.AddHours(-9),
        ];
        foreach (var time in times)
        {
            var local = DateTime.SpecifyKind(time, DateTimeKind.Local);
            ScalarTests.AssertSame(local, type.Parse(type.ToText(local)));
            ScalarTests.AssertSame(DateTime.SpecifyKind(time, DateTimeKind.Utc), type.Parse(type.ToText(DateTime.SpecifyKind(time, DateTimeKind.Utc))));
            ScalarTests.AssertSame(DateTime.SpecifyKind(time, DateTimeKind.Unspecified), type.Parse(type.ToText(DateTime.SpecifyKind(time, DateTimeKind.Unspecified))));
        }
    }

    [Fact]
    public void Both_hours_of_a_change_from_summer_time_come_back_as_the_moment_they_were()
    {
        Use("Europe/Berlin");
        var type = ScalarType.For(typeof(DateTime))!;
        foreach (var utc in new[] { new DateTime(2024, 10, 27, 0, 30, 0, DateTimeKind.Utc), new DateTime(2024, 10, 27, 1, 30, 0, DateTimeKind.Utc) })
        {
            var local = utc.ToLocalTime();
            var back = (DateTime)type.Parse(type.ToText(local));
            Assert.Equal((local.Ticks, DateTimeKind.Local), (back.Ticks, back.Kind));
            Assert.Equal(utc, back.ToUniversalTime());
        }
    }

    [Fact]
    public void A_local_time_read_in_another_zone_is_the_same_moment()
    {
        Use("Europe/Berlin");
        var type = ScalarType.For(typeof(DateTime))!;
        var local = new DateTime(2026, 7, 15, 12, 0, 0, DateTimeKind.Local);
        var utc = local.ToUniversalTime();
        var text = type.ToText(local);
        Assert.Equal("2026-07-15T12:00:00.0000000+02:00", text);
        Use("America/New_York");
        var back = (DateTime)type.Parse(text);
        Assert.Equal(DateTimeKind.Local, back.Kind);
        Assert.Equal(utc, back.ToUniversalTime());
        Assert.Equal(new DateTime(2026, 7, 15, 6, 0, 0), back);
    }

    private static void Use(string? zone)
    {
        Environment.SetEnvironmentVariable("TZ", zone);
        TimeZoneInfo.ClearCachedData();
    }
}
