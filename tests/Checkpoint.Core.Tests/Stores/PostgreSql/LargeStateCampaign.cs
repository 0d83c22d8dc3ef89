using System.Diagnostics;
using Xunit.Abstractions;
using static Checkpoint.Tests.DriverTest;

namespace Checkpoint.Tests;

/// <summary>A state of 4 GiB and one byte, in the long form, goes to the server and comes back with no more in memory than some chunks.</summary>
[Trait("Category", "Campaign")]
[Collection(PostgresServer.Collection)]
public sealed class LargeStateCampaign(PostgresServer server, ITestOutputHelper output)
{
    [PostgresFact]
    public async Task A_large_state_is_streamed_both_ways()
    {
        var campaign = new Campaign("Large state", output);
        var length = Campaign.IsLong ? (4L << 30) + 1 : (64L << 20) + 1;
        await using var driver = PostgresServer.Open(server.NewStore());
        var name = NewName();
        var block = new byte[1 << 20];
        campaign.Random.NextBytes(block);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var most = 0L;
        var watch = Stopwatch.StartNew();
        await using (var save = await driver.BeginSaveAsync(Key, default))
        {
            using (var payload = save.OpenPayload(name))
            {
                for (var at = 0L; at < length; at += block.Length)
                {
                    // No two blocks are the same.
                    BitConverter.TryWriteBytes(block, at);
                    payload.Write(block, 0, (int)Math.Min(block.Length, length - at));
                    if (at % (16 << 20) == 0)
                        most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
                }
            }
            Assert.Equal(1, await save.CommitAsync(new StoreCommit { MakeRecord = (_, _) => (Bytes("large"), name) }, default));
        }
        var saved = watch.Elapsed;
        watch.Restart();
        await using (var payload = (await driver.OpenPayloadAsync(Key, 1, name, default))!)
        {
            Assert.Equal(length, payload.Length);
            var read = new byte[block.Length];
            for (var at = 0L; at < length; at += block.Length)
            {
                BitConverter.TryWriteBytes(block, at);
                var count = (int)Math.Min(block.Length, length - at);
                payload.ReadExactly(read, 0, count);
                if (!read.AsSpan(0, count).SequenceEqual(block.AsSpan(0, count)))
                    campaign.Findings.Add($"the block at {at} differs");
                if (at % (16 << 20) == 0)
                    most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
            }
            Assert.Equal(0, payload.Read(read));
        }
        if (most > 64 << 20)
            campaign.Findings.Add($"{most >> 20} MiB were in memory");
        campaign.Tries = 1;
        campaign.End(FormattableString.Invariant($"{length >> 20} MiB saved at {(length >> 20) / saved.TotalSeconds:0} MiB/s and read at {(length >> 20) / watch.Elapsed.TotalSeconds:0} MiB/s, at most {most >> 20} MiB in memory"));
    }
}
