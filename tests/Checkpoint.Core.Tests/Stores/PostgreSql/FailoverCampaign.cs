using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>
/// Two servers, of which one is the synchronous standby of the other; eight processes save to one stage; the primary is killed and the standby promoted. Nothing that was acknowledged is lost, nothing
/// is there twice.
/// </summary>
[Trait("Category", "Campaign")]
public sealed class FailoverCampaign(ITestOutputHelper output)
{
    private const int Processes = 8;

    [PostgresFact(IsOwn = true, IsOfModule = true)]
    public async Task Nothing_acknowledged_is_lost_or_doubled_when_the_primary_is_killed()
    {
        var campaign = new Campaign("failover", output);
        var saves = 0;
        var (pauses, slowest) = (new List<double>(), new List<double>());
        for (var round = 0; round < (Campaign.IsLong ? 10 : 1); round++)
        {
            using var primary = PostgresCluster.Start();
            using var standby = primary.StartStandby("second");
            primary.Sql("ALTER SYSTEM SET synchronous_standby_names = 'second'; SELECT pg_reload_conf();");
            var password = Uri.EscapeDataString(PostgresCluster.Password);
            var store = $"postgresql://postgres:{password}@127.0.0.1:{primary.Port},127.0.0.1:{standby.Port}/postgres";
            var told = new ConcurrentQueue<(long At, string Line)>();
            var stop = Path.Join(primary.Folder, "stop");
            var workers = Enumerable.Range(0, Processes).Select(i => StartWorker(store, i, stop, told)).ToList();
            await Until(() => told.Count(t => t.Line.StartsWith("ok", StringComparison.Ordinal)) > 30 * Processes, told);
            await Task.Delay(campaign.Random.Next(0, 500));
            var killed = Stopwatch.GetTimestamp();
            primary.Kill();
            standby.Promote();
            await Until(() => told.Count(t => t.At > killed && t.Line.StartsWith("ok", StringComparison.Ordinal)) > 60 * Processes, told);
            File.WriteAllText(stop, "");
            foreach (var worker in workers)
            {
                Assert.True(worker.WaitForExit(90_000), "a process does not end");
                worker.WaitForExit();
                worker.Dispose();
            }
            await using var driver = PostgresServer.Open(standby.Uri);
            var there = (await driver.ReadAboveAsync(new StoreKey("checkpoint", "failover", null, "shared"), 0, default).All()).ToDictionary(e => e.Step, e => StateOf(e.Record));
            foreach (var twice in there.Values.GroupBy(t => t).Where(g => g.Count() > 1))
                campaign.Findings.Add($"round {round}: {twice.Key} is there {twice.Count()} times");
            foreach (var line in told.Where(t => t.Line.StartsWith("ok", StringComparison.Ordinal)).Select(t => t.Line.Split(' ')))
            {
                saves++;
                if (there.GetValueOrDefault(long.Parse(line[1], CultureInfo.InvariantCulture)) != line[2])
                    campaign.Findings.Add($"round {round}: {line[2]} was acknowledged as step {line[1]} and is not there");
            }
            foreach (var failed in told.Where(t => !t.Line.StartsWith("ok", StringComparison.Ordinal)))
                campaign.Findings.Add($"round {round}: {failed.Line}");
            // Nobody's saves go on before the standby is the primary; the slowest has to find it too.
            pauses.Add(LongestGap(told, killed));
            slowest.AddRange(Enumerable.Range(0, Processes).Select(i => LongestGap(told.Where(t => t.Line.Split(' ')[2].StartsWith($"{i}-", StringComparison.Ordinal)), killed)));
            campaign.Tries++;
        }
        campaign.End(FormattableString.Invariant($"{saves} saves of {Processes} processes acknowledged, none for {pauses.Average():0.0} s at the kill (at most {pauses.Max():0.0} s; of the slowest process {slowest.Max():0.0} s)"));
    }

    private static double LongestGap(IEnumerable<(long At, string Line)> told, long killed)
    {
        var times = told.Where(t => t.Line.StartsWith("ok", StringComparison.Ordinal)).Select(t => t.At).ToList();
        return times.Zip(times.Skip(1)).Where(p => p.Second > killed).Max(p => Stopwatch.GetElapsedTime(p.First, p.Second).TotalSeconds);
    }

    private static string StateOf(ReadOnlyMemory<byte> record)
    {
        using var json = JsonDocument.Parse(record);
        return json.RootElement.GetProperty("state").GetProperty("value").ToString();
    }

    private static async Task Until(Func<bool> condition, ConcurrentQueue<(long At, string Line)> told)
    {
        for (var end = Environment.TickCount64 + 90_000; !condition(); await Task.Delay(10))
            Assert.True(Environment.TickCount64 < end, $"after 90 s: {told.Count} lines, the last: {told.LastOrDefault().Line}");
    }

    private static Process StartWorker(string store, int number, string stop, ConcurrentQueue<(long At, string Line)> told)
    {
        var module = Path.GetFullPath(Path.Join(PostgresServer.DriverPath(), "../../../../Checkpoint.psd1"));
        var script = $$"""
            Import-Module '{{module}}'
            for ($n = 1; -not [IO.File]::Exists('{{stop}}'); $n++) {
                try {
                    $saved = Save-Checkpoint shared -Pipeline failover -State '{{number}}-'$n -Store $env:TEST_STORE -PassThru -ErrorAction Stop 6> $null
                    [Console]::Out.WriteLine("ok $($saved.Step) {{number}}-$n")
                }
                catch {
                    [Console]::Out.WriteLine("failed {{number}}-$n $_")
                }
            }
            """.Replace($"'{number}-'$n", $"\"{number}-$n\"", StringComparison.Ordinal);
        var start = new ProcessStartInfo("pwsh", ["-NoProfile", "-NonInteractive", "-Command", "-"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["TEST_STORE"] = store;
        start.ArgumentList[^1] = script;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        process.OutputDataReceived += (_, e) =>
        {
            if (e.Data is { Length: > 0 } line)
                told.Enqueue((Stopwatch.GetTimestamp(), line));
        };
        process.BeginOutputReadLine();
        return process;
    }
}
