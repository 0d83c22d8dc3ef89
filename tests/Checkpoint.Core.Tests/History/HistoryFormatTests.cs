using System.Buffers;
using System.Text;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

public class HistoryFormatTests(ITestOutputHelper output)
{
    private static readonly CheckpointEvent Whole = new()
    {
        Time = new DateTimeOffset(2026, 3, 1, 4, 5, 6, TimeSpan.Zero).AddTicks(7_891_234),
        Event = CheckpointEvents.Cleared,
        Pipeline = "nightly",
        Run = "42",
        Name = "größe \"x\"\n😀",
        Step = 12_345_678_901,
        Reason = "steps 1, 2",
        Host = "build7",
        User = "ci",
        ProcessId = 4711,
    };

    [Fact]
    public void An_event_comes_back_as_it_was()
    {
        var back = HistoryFormat.Parse(Line(Whole).AsSpan()[..^1], "store");

        Assert.Equal(Show(Whole), Show(back!));
        Assert.Equal("store", back!.Store);
        Assert.Equal(TimeSpan.Zero, back.Time.Offset);
    }

    [Fact]
    public void An_event_without_run_name_step_and_reason_has_none_when_it_comes_back()
    {
        var back = HistoryFormat.Parse(Line(new CheckpointEvent { Time = Whole.Time, Event = "RunStarted", Pipeline = "p" }).AsSpan()[..^1], "")!;

        Assert.Null(back.Run);
        Assert.Null(back.Name);
        Assert.Null(back.Step);
        Assert.Null(back.Reason);
    }

    [Fact]
    public void An_event_is_one_line()
    {
        var line = Line(Whole);

        Assert.Equal(line.Length - 1, Array.IndexOf(line, (byte)'\n'));
    }

    [Fact]
    public void A_line_that_is_cut_anywhere_is_none()
    {
        var line = Line(Whole)[..^1];

        for (var length = 0; length < line.Length; length++)
            Assert.Null(HistoryFormat.Parse(line.AsSpan(0, length), ""));
    }

    [Fact]
    public void A_line_of_which_a_bit_is_flipped_is_never_an_error_of_another_kind()
    {
        var random = Seeds.New(output);
        var line = Line(Whole)[..^1];

        for (var i = 0; i < line.Length; i++)
        {
            var changed = line.ToArray();
            changed[i] ^= (byte)(1 << random.Next(8));
            HistoryFormat.Parse(changed, "");
        }
    }

    [Fact]
    public void A_line_ends_in_its_number_and_in_a_hash_of_it_and_of_the_chain_before()
    {
        var previous = new HistoryLink(41, new string('a', 64));
        var buffer = new ArrayBufferWriter<byte>();
        var link = HistoryFormat.Write(buffer, Whole, previous, lost: 3);
        var line = Encoding.UTF8.GetString(buffer.WrittenSpan);

        var body = line[..line.IndexOf(",\"chain\":\"", StringComparison.Ordinal)];
        var expected = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(previous.Chain + body))).ToLowerInvariant();
        Assert.Equal(new HistoryLink(42, expected), link);
        Assert.EndsWith($",\"lost\":3,\"number\":42,\"chain\":\"{expected}\"}}\n", line, StringComparison.Ordinal);
        Assert.True(HistoryFormat.TryReadLink(buffer.WrittenSpan[..^1], out var back, out var length));
        Assert.Equal((link, Encoding.UTF8.GetByteCount(body)), (back, length));
    }

    [Fact]
    public void A_text_that_looks_like_a_link_is_none()
    {
        var reason = $",\"number\":7,\"chain\":\"{new string('b', 64)}\"}}";
        var line = Line(new CheckpointEvent { Time = Whole.Time, Event = "Saved", Pipeline = "p", Reason = reason });

        Assert.True(HistoryFormat.TryReadLink(line.AsSpan()[..^1], out var link, out _));
        Assert.Equal(1, link.Number);
        Assert.False(HistoryFormat.TryReadLink(Encoding.UTF8.GetBytes("{\"reason\":" + System.Text.Json.JsonSerializer.Serialize(reason)), out _, out _));
    }

    [Theory]
    [InlineData("""{"time":"2026-01-01T00:00:00Z","event":"Sealed","pipeline":"p","by":{"x":[1,{}]},"level":3}""", "Sealed")]
    [InlineData("""{"by":null,"event":"Saved","time":"2026-01-01T02:00:00+02:00","pipeline":"p"}""", "Saved")]
    [InlineData("""{"time":"2026-01-01T00:00:00Z","pipeline":"p"}""", null)]
    [InlineData("""{"time":"2026-01-01T00:00:00Z","event":"Saved"}""", null)]
    [InlineData("""{"event":"Saved","pipeline":"p"}""", null)]
    [InlineData("""{"time":"yesterday","event":"Saved","pipeline":"p"}""", null)]
    [InlineData("""{"time":"2026-01-01T00:00:00Z","event":"Saved","pipeline":"p","step":"1"}""", null)]
    [InlineData("""{"time":"2026-01-01T00:00:00Z","event":"Saved","pipeline":"p"}{}""", null)]
    [InlineData("[]", null)]
    [InlineData("null", null)]
    [InlineData("", null)]
    public void Members_that_are_not_known_are_passed_over_and_what_lacks_one_that_must_be_is_no_event(string line, string? kind)
    {
        var entry = HistoryFormat.Parse(Encoding.UTF8.GetBytes(line), "");

        Assert.Equal(kind, entry?.Event);
        if (entry is not null)
            Assert.Equal(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), entry.Time);
    }

    internal static byte[] Line(CheckpointEvent entry)
    {
        var buffer = new ArrayBufferWriter<byte>();
        HistoryFormat.Write(buffer, entry, HistoryLink.Start);
        return buffer.WrittenSpan.ToArray();
    }

    private static string Show(CheckpointEvent e) => $"{e.Time:O} {e.Event} {e.Pipeline} {e.Run} {e.Name} {e.Step} {e.Reason} {e.Host} {e.User} {e.ProcessId}";
}
