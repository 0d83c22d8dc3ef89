using System.Text;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

public class RunFormatTests(ITestOutputHelper output)
{
    internal static CheckpointRun Whole { get; } = new()
    {
        Pipeline = "nightly",
        Run = "20260301-040506-a1b2c3",
        Status = RunStatus.Failed,
        StartedAt = new DateTimeOffset(2026, 3, 1, 4, 5, 6, TimeSpan.Zero),
        EndedAt = new DateTimeOffset(2026, 3, 1, 5, 5, 6, TimeSpan.Zero),
        Attempts = 3,
        LastError = "größe \"x\"\n😀",
        Host = "build7",
        User = "ci",
        ProcessId = 4711,
        Fingerprint = FingerprintHash.Combine(new Dictionary<string, byte[]> { ["Server"] = FingerprintHash.Scalar("string", "db1") }),
        Stages = new List<StageResult>
        {
            new() { Name = "Fetch", Status = StageStatus.Completed, Attempts = 2, Duration = TimeSpan.FromMilliseconds(1234.5), Reason = "there was no checkpoint" },
            new() { Name = "clean", Status = StageStatus.Failed, Attempts = 1, Duration = TimeSpan.FromHours(1), Error = "no space" },
            new() { Name = "later", Status = StageStatus.NotRun },
        }.AsReadOnly(),
    };

    [Fact]
    public void A_run_comes_back_as_it_was()
    {
        var back = RunFormat.Parse(RunFormat.Serialize(Whole));

        Assert.Equal(Show(Whole), Show(back));
        Assert.Equal(Whole.Fingerprint, back.Fingerprint);
    }

    [Fact]
    public void A_run_that_is_not_over_has_no_end()
    {
        var back = RunFormat.Parse(RunFormat.Serialize(Whole with { Status = RunStatus.Running, EndedAt = null, LastError = null, Fingerprint = null }));

        Assert.Null(back.EndedAt);
        Assert.Null(back.Duration);
        Assert.Null(back.LastError);
        Assert.Null(back.Fingerprint);
    }

    [Fact]
    public void Any_byte_that_is_changed_is_found()
    {
        var random = Seeds.New(output);
        var bytes = RunFormat.Serialize(Whole).ToArray();

        for (var i = 0; i < bytes.Length; i++)
        {
            var changed = bytes.ToArray();
            changed[i] ^= (byte)(1 << random.Next(8));
            Assert.Throws<InvalidDataException>(() => RunFormat.Parse(changed));
        }
    }

    [Fact]
    public void Any_length_that_is_cut_is_found()
    {
        var bytes = RunFormat.Serialize(Whole);

        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<InvalidDataException>(() => RunFormat.Parse(bytes[..length]));
    }

    [Fact]
    public void A_newer_version_is_no_damage() =>
        Assert.Equal(2, Assert.Throws<RecordTooNewException>(() => RunFormat.Parse(Edit("\"format\": 1", "\"format\": 2"))).Version);

    [Fact]
    public void Members_that_are_not_known_are_passed_over() =>
        Assert.Equal(Show(Whole), Show(RunFormat.Parse(Edit("\"attempts\": 3", "\"attempts\": 3, \"tags\": [1, {}]"))));

    [Theory]
    [InlineData("\"attempts\": 3", "\"attempts\": \"3\"")]
    [InlineData("\"status\": \"failed\"", "\"status\": \"unknown\"")]
    [InlineData("\"status\": \"failed\"", "\"status\": \"7\"")]
    [InlineData("\"startedAt\"", "\"startedat\"")]
    [InlineData("\"run\": \"20260301-040506-a1b2c3\"", "\"run\": \"\"")]
    [InlineData("\"stages\": [", "\"stages\": [ 1, ")]
    public void What_is_no_run_is_not_read_as_one(string old, string changed) => Assert.Throws<InvalidDataException>(() => RunFormat.Parse(Edit(old, changed)));

    internal static byte[] Edit(string old, string changed)
    {
        var text = Encoding.UTF8.GetString(RunFormat.Serialize(Whole).Span);
        Assert.Contains(old, text, StringComparison.Ordinal);
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        System.Buffers.BuffersExtensions.Write(buffer, Encoding.UTF8.GetBytes(text[..text.LastIndexOf(",\n  \"checksum\"", StringComparison.Ordinal)].Replace(old, changed, StringComparison.Ordinal)));
        SealedJson.Seal(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static string Show(CheckpointRun r) =>
        $"{r.Pipeline} {r.Run} {r.Status} {r.StartedAt:O} {r.EndedAt:O} {r.Attempts} {r.LastError} {r.Host} {r.User} {r.ProcessId} "
        + string.Join("; ", r.Stages.Select(s => $"{s.Name} {s.Status} {s.Reason} {s.Attempts} {s.Duration} {s.Error}"));
}
