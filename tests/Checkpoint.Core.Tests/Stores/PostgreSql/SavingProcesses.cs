using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Checkpoint.Tests;

/// <summary>Processes that save to one stage, the module in each, and say what was acknowledged.</summary>
internal sealed class SavingProcesses : IDisposable
{
    private readonly ConcurrentQueue<(long At, string Line)> _told = new();
    private readonly List<Process> _workers;
    private readonly string _stop;

    /// <param name="count">How many.</param>
    /// <param name="store">Where to.</param>
    /// <param name="folder">Where a file tells them to stop.</param>
    /// <param name="launcher">What starts each of them, as in a network of its own.</param>
    public SavingProcesses(int count, string store, string folder, params string[] launcher)
    {
        _stop = Path.Join(folder, "stop");
        _workers = [.. Enumerable.Range(0, count).Select(i => Start(store, i, launcher))];
    }

    private IEnumerable<(long At, string[] Words)> Acknowledged => _told.Where(t => t.Line.StartsWith("ok ", StringComparison.Ordinal)).Select(t => (t.At, t.Line.Split(' ')));

    /// <summary>Waits until each has, on average, so many saves acknowledged since a moment.</summary>
    public async Task WaitForSaves(int each, long since = 0)
    {
        for (var end = Environment.TickCount64 + 90_000; Acknowledged.Count(t => t.At > since) <= each * _workers.Count; await Task.Delay(10))
            Assert.True(Environment.TickCount64 < end, $"after 90 s: {_told.Count} lines, the last: {_told.LastOrDefault().Line}");
    }

    /// <summary>Waits until each has one acknowledged since a moment.</summary>
    public async Task WaitForEach(long since)
    {
        for (var end = Environment.TickCount64 + 90_000; Acknowledged.Where(t => t.At > since).Select(t => NumberOf(t.Words)).Distinct().Count() < _workers.Count; await Task.Delay(10))
            Assert.True(Environment.TickCount64 < end, $"after 90 s: {_told.Count} lines, the last: {_told.LastOrDefault().Line}");
    }

    public void Stop()
    {
        File.WriteAllText(_stop, "");
        foreach (var worker in _workers)
        {
            Assert.True(worker.WaitForExit(90_000), "a process does not end");
            worker.WaitForExit();
        }
    }

    /// <summary>Compares what was acknowledged with what is there.</summary>
    /// <returns>How many saves were acknowledged.</returns>
    public async Task<int> CompareAsync(StoreDriver driver, Campaign campaign, string round)
    {
        var there = (await driver.ReadAboveAsync(new StoreKey("checkpoint", "failover", null, "shared"), 0, default).All()).ToDictionary(e => e.Step, e => StateOf(e.Record));
        foreach (var twice in there.Values.GroupBy(t => t).Where(g => g.Count() > 1))
            campaign.Findings.Add($"{round}: {twice.Key} is there {twice.Count()} times");
        var saves = 0;
        foreach (var (_, words) in Acknowledged)
        {
            saves++;
            if (there.GetValueOrDefault(long.Parse(words[1], CultureInfo.InvariantCulture)) != words[2])
                campaign.Findings.Add($"{round}: {words[2]} was acknowledged as step {words[1]} and is not there");
        }
        foreach (var failed in _told.Where(t => !t.Line.StartsWith("ok ", StringComparison.Ordinal)))
            campaign.Findings.Add($"{round}: {failed.Line}");
        await CompareHistoryAsync(new DriverStore(driver), [.. there.Keys], campaign, round);
        return saves;
    }

    // A line of the history may be missing: those that are written by themselves are not waited for. None tells of a save twice, nor of one that is not there, and each follows from the one before.
    private static async Task CompareHistoryAsync(DriverStore store, List<long> there, Campaign campaign, string round)
    {
        var told = await store.ReadHistoryAsync(NamePattern.Of("failover"), default).Where(e => e.Event == CheckpointEvents.Saved).Select(e => e.Step!.Value).ToListAsync();
        foreach (var twice in told.GroupBy(step => step).Where(g => g.Count() > 1))
            campaign.Findings.Add($"{round}: the history tells {twice.Count()} times of step {twice.Key}");
        foreach (var step in told.Except(there))
            campaign.Findings.Add($"{round}: the history tells of step {step}, which is not there");
        if (told.Count < there.Count / 2)
            campaign.Findings.Add($"{round}: the history tells of {told.Count} of {there.Count} saves");
        await foreach (var finding in store.VerifyAsync(new StoreScope(), null, default))
            campaign.Findings.Add($"{round}: {finding.Kind} {finding.Location}: {finding.Message}");
    }

    /// <summary>For how long nobody's save was acknowledged, at the longest, since a moment; and nobody's of each process.</summary>
    public (double All, IEnumerable<double> Each) GapsSince(long moment) =>
        (LongestGap(Acknowledged.Select(t => t.At), moment), Acknowledged.GroupBy(t => NumberOf(t.Words)).Select(g => LongestGap(g.Select(t => t.At), moment)));

    /// <summary>How long after a moment the first save was acknowledged; and that of each process.</summary>
    public (double First, IEnumerable<double> Each) WaitsAfter(long moment)
    {
        var waits = Acknowledged.Where(t => t.At > moment).GroupBy(t => NumberOf(t.Words)).Select(g => Stopwatch.GetElapsedTime(moment, g.Min(t => t.At)).TotalSeconds).ToList();
        return (waits.Min(), waits);
    }

    public void Dispose()
    {
        foreach (var worker in _workers)
        {
            if (!worker.HasExited)
                worker.Kill(entireProcessTree: true);
            worker.Dispose();
        }
    }

    private static string NumberOf(string[] words) => words[2].Split('-')[0];

    private static double LongestGap(IEnumerable<long> acknowledged, long since)
    {
        var times = acknowledged.ToList();
        return times.Zip(times.Skip(1)).Where(p => p.Second > since).Max(p => Stopwatch.GetElapsedTime(p.First, p.Second).TotalSeconds);
    }

    private static string StateOf(ReadOnlyMemory<byte> record)
    {
        using var json = JsonDocument.Parse(record);
        return json.RootElement.GetProperty("state").GetProperty("value").ToString();
    }

    private Process Start(string store, int number, string[] launcher)
    {
        var module = Path.GetFullPath(Path.Join(PostgresServer.DriverPath(), "../../../../Checkpoint.psd1"));
        var script = $$"""
            Import-Module '{{module}}'
            for ($n = 1; -not [IO.File]::Exists('{{_stop}}'); $n++) {
                try {
                    $saved = Save-Checkpoint shared -Pipeline failover -State "{{number}}-$n" -Store $env:TEST_STORE -PassThru -ErrorAction Stop 6> $null
                    [Console]::Out.WriteLine("ok $($saved.Step) {{number}}-$n")
                }
                catch {
                    [Console]::Out.WriteLine("failed {{number}}-$n $_")
                }
            }
            """;
        string[] command = [.. launcher, "pwsh", "-NoProfile", "-NonInteractive", "-Command", script];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["TEST_STORE"] = store;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        process.OutputDataReceived += (_, e) =>
        {
            if (e.Data is { Length: > 0 } line)
                _told.Enqueue((Stopwatch.GetTimestamp(), line));
        };
        process.BeginOutputReadLine();
        return process;
    }
}
