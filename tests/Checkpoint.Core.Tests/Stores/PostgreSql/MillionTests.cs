using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>What must still hold with a million checkpoints.</summary>
[Collection(PostgresServer.Collection)]
public sealed partial class MillionTests(PostgresServer server, ITestOutputHelper output)
{
    // Ten pipelines, each with a thousand runs, each with a hundred stages; and what lies beside them. What is not logged is written sooner, and found in the same ways.
    private const string Fill = """
        ALTER TABLE million.entry SET UNLOGGED;
        ALTER TABLE million.chunk SET UNLOGGED;
        ALTER TABLE million.lease SET UNLOGGED;
        ALTER TABLE million.done SET UNLOGGED;
        INSERT INTO million.entry(kind, pipeline, run, name, step, record, revision, save, payload, length, saved_at)
            SELECT 'checkpoint', 'pipeline ' || i % 10, 'run ' || i / 10 % 1000, 'stage ' || i / 10000, 1, '{"format":1,"some":"record of the usual length, more or less"}', i::text, gen_random_uuid(),
                CASE WHEN i % 10 = 0 THEN gen_random_uuid() END, CASE WHEN i % 10 = 0 THEN 10 END, now() - i * interval '1 second'
            FROM generate_series(0, 999999) AS i;
        INSERT INTO million.entry(kind, pipeline, run, name, step, record, revision, save) SELECT 'history', 'pipeline 1', '', '', i, 'line', i::text, gen_random_uuid() FROM generate_series(1, 100000) AS i;
        INSERT INTO million.chunk SELECT payload, 0, '0123456789' FROM million.entry WHERE payload IS NOT NULL;
        INSERT INTO million.lease SELECT 'lease', pipeline, run, name, 1, 'holder', now(), now(), save FROM million.entry WHERE kind = 'checkpoint' AND length = 10;
        INSERT INTO million.done SELECT gen_random_uuid(), 1, now() - i * interval '1 minute' FROM generate_series(1, 100000) AS i;
        ANALYZE million.entry, million.chunk, million.lease, million.done;
        """;

    private const string Mark = "----";

    [PostgresFact]
    public async Task Every_statement_finds_its_rows_by_an_index()
    {
        await MakeAsync();
        var statements = AllStatements();
        Assert.True(statements.Count > 40);
        foreach (var mode in new[] { "force_generic_plan", "force_custom_plan" })
        {
            // All in one session: to begin one takes longer than to plan.
            var asked = statements.Select(s => (Parameters(s.Name), s.Sql)).Select(s => $"PREPARE p{s.Item1.Types} AS {s.Sql};\nEXPLAIN (COSTS OFF) EXECUTE p{s.Item1.Values};\nDEALLOCATE p;\n\\echo {Mark}");
            var plans = server.Sql($"SET plan_cache_mode = {mode};\n{string.Concat(asked.Select(a => a + '\n'))}").Split(Mark);
            Assert.Equal(statements.Count + 1, plans.Length);
            foreach (var ((name, sql), plan) in statements.Zip(plans))
            {
                Assert.NotEqual("", plan.Trim());
                Assert.False(SeqScan().IsMatch(plan), $"{name} ({mode}) reads a whole table:\n{sql}\n{plan}");
            }
        }
    }

    [PostgresFact]
    public async Task A_listing_of_all_keys_is_streamed_in_order()
    {
        await MakeAsync();
        await using var driver = PostgresServer.Open(PostgresServer.WithSchema(server.Uri, "million"));
        var query = new StoreQuery("checkpoint", null, null, true, null);
        var began = Stopwatch.GetTimestamp();
        var (count, first) = (0, TimeSpan.Zero);
        StoreKey? before = null;
        await foreach (var entry in driver.ListAsync(query, default))
        {
            if (count++ == 0)
                (first, _) = (Stopwatch.GetElapsedTime(began), GC.GetTotalMemory(forceFullCollection: true));
            if (before is not null)
                Assert.True(string.CompareOrdinal($"{before.Pipeline}\0{before.Run}\0{before.Name}", $"{entry.Key.Pipeline}\0{entry.Key.Run}\0{entry.Key.Name}") < 0, $"{before} comes before {entry.Key}");
            before = entry.Key;
            if (count == 300_000)
                Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, 100 << 20);
        }
        Assert.Equal(1_000_000, count);
        output.WriteLine($"1,000,000 keys in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s, the first after {first.TotalMilliseconds:0} ms");

        // From key to key, and not from step to step.
        began = Stopwatch.GetTimestamp();
        Assert.Equal(100_000, Assert.Single(await driver.ListAsync(new StoreQuery("history", null, null, false, null), default).All()).Step);
        output.WriteLine($"one key of 100,000 steps in {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms");
    }

    private static readonly SemaphoreSlim Gate = new(1);
    private static bool _isMade;

    private async Task MakeAsync()
    {
        await Gate.WaitAsync();
        try
        {
            if (_isMade)
                return;
            server.Sql("DROP SCHEMA IF EXISTS million CASCADE");
            await using var driver = PostgresServer.Open(PostgresServer.WithSchema(server.Uri, "million"));
            await driver.Save(key: new StoreKey("other", "p", null, null));
            var began = Stopwatch.GetTimestamp();
            server.Sql(Fill);
            output.WriteLine($"made in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
            _isMade = true;
        }
        finally
        {
            Gate.Release();
        }
    }

    // As the driver that was loaded makes them.
    private static List<(string Name, string Sql)> AllStatements()
    {
        var type = PostgresServer.Open("postgresql://localhost/postgres").GetType().Assembly.GetType("Checkpoint.Stores.PostgreSql.Statements")!;
        var statements = Activator.CreateInstance(type, "million")!;
        return [.. (IEnumerable<(string, string)>)type.GetMethod("All", BindingFlags.Public | BindingFlags.Instance)!.Invoke(statements, null)!];
    }

    private static (string Types, string Values) Parameters(string name)
    {
        const string Key = "text 'checkpoint', text 'pipeline 5', text 'run 77', text 'stage 3'", Id = "uuid '00000000-0000-0000-0000-000000000001'";
        bool Has(string part) => name.Contains($"{part} = True", StringComparison.Ordinal);
        var list = name.Split(' ')[0] switch
        {
            "ReadLast" or "ListSteps" or "FindLease" => Key,
            "ReadStep" or "FindRevision" or "FindPayload" => $"{Key}, bigint '1'",
            "ReadAbove" => $"{Key}, bigint '0', bigint '100'",
            "FindSave" => $"{Key}, bigint '1', {Id}",
            "ReadChunk" => $"{Id}, bigint '0'",
            "FindDone" or "Confirm" => Id,
            "LockKey" or "Watch" or "Unwatch" => "bigint '1'",
            "EndSession" => "integer '1', text 'x'",
            "Replace" => $"{Key}, bigint '1', bytea 'x', text 'r', text 'q', bigint '1'",
            "TakeLease" => $"{Key}, text 'h', interval '1 minute', {Id}",
            "RenewLease" => $"{Key}, bigint '1', interval '1 minute'",
            "ReleaseLease" => $"{Key}, bigint '1', bigint '1'",
            "Remove" => $"{Key}, {Id}, bigint '1'" + (name == "Remove some" ? ", bigint[] '{1,2,3}', text[] '{a,b,c}'" : ""),
            "HoldLease" => $"{Key}, bigint '1'",
            "LockSteps" => Key + (name == "LockSteps some" ? ", bigint[] '{1,2,3}'" : ""),
            "Look" => name == "Look free" ? Key : $"{Key}, {Key}, bigint '1'",
            "Save" => $"{Key}, bigint '1', bytea 'x', text 'r', {Id}, bigint '3', {Id}, bigint '1'" + (Has("Follows") ? ", text 'q'" : "") + (Has("IsFenced") ? $", {Key}, bigint '1'" : "")
                + (Has("HasChunks") ? ", bytea[] '{x}'" : "") + (Has("HasNote") ? $", {Key}, bigint '1', bytea 'x', text 'r', {Id}, text 'q'" : ""),
            "List" => "text 'checkpoint', boolean 'true', text 'pipeline 5', text 'run 77', text 'stage 3', text 'pipeline 5', text 'run 77', text 'stage 3', bigint '100'",
            _ => "",
        };
        var parts = list.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split(' ', 2)).ToList();
        return parts.Count == 0 ? ("", "") : ($"({string.Join(", ", parts.Select(p => p[0]))})", $"({string.Join(", ", parts.Select(p => $"{p[1]}::{p[0]}"))})");
    }

    [GeneratedRegex(@"Seq Scan on (\w+\.)?(entry|chunk|lease|done)\b")]
    private static partial Regex SeqScan();
}
