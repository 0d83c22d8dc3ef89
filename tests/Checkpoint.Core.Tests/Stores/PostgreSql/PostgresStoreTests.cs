using System.Diagnostics;
using static Checkpoint.Tests.DriverTest;

namespace Checkpoint.Tests;

/// <summary>How a store comes to be, who may use it, and what is said where it cannot be used.</summary>
[Collection(PostgresServer.Collection)]
public sealed class PostgresStoreTests(PostgresServer server)
{
    [PostgresFact]
    public async Task Reading_makes_nothing_and_the_first_save_makes_the_store()
    {
        await using var driver = PostgresServer.Open(PostgresServer.WithSchema(server.Uri, "made_once"));
        server.Sql("DROP SCHEMA IF EXISTS made_once CASCADE");
        Assert.Null(await driver.ReadAsync(Key, null, default));
        Assert.Equal(0, await driver.RemoveAsync(Key, null, null, default));
        Assert.Null(await driver.FindLeaseAsync(Key, default));
        Assert.False(await driver.RenewLeaseAsync(new StoreFence(Key, 1), TimeSpan.FromMinutes(1), default));
        Assert.Equal("0", server.Sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'made_once'"));
        await driver.Save();
        Assert.Equal("1", server.Sql("SELECT version FROM made_once.version"));
    }

    [PostgresFact]
    public async Task Many_that_come_first_at_once_make_it_once()
    {
        var store = server.NewStore();
        var steps = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            await using var driver = PostgresServer.Open(store);
            return (await driver.Save())!.Value;
        })));
        Assert.Equal(Enumerable.Range(1, 8).Select(i => (long)i), steps.Order());
    }

    [PostgresFact]
    public async Task A_store_of_a_newer_version_is_left_alone()
    {
        var schema = $"newer_{NewName()}";
        var store = PostgresServer.WithSchema(server.Uri, schema);
        await using (var driver = PostgresServer.Open(store))
            await driver.Save();
        server.Sql($"UPDATE {schema}.version SET version = 7");
        await using var late = PostgresServer.Open(store);
        foreach (var call in new Func<Task>[] { () => late.Save(), async () => await late.ReadAsync(Key, null, default), async () => await late.RemoveAsync(Key, null, null, default) })
            Assert.Contains("version 7", (await AssertFault(StoreFault.TooNew, call)).Message, StringComparison.Ordinal);
    }

    [PostgresFact(IsOwn = true)]
    public async Task Who_may_not_is_told_so_and_what_to_do()
    {
        var name = $"guest_{NewName()}"[..20];
        server.Own.Sql($"CREATE ROLE {name} LOGIN PASSWORD 'hidden-word'; CREATE SCHEMA barred_{name};");
        await using (var driver = PostgresServer.Open($"postgresql://{name}@{Uri.EscapeDataString(server.Own.Folder)}:{server.Own.Port}/postgres?schema=new_{name}"))
            Assert.Contains($"CREATE SCHEMA \"new_{name}\" AUTHORIZATION \"{name}\"", (await AssertFault(StoreFault.AccessDenied, () => driver.Save())).Message, StringComparison.Ordinal);
        await using (var driver = PostgresServer.Open($"postgresql://{name}@{Uri.EscapeDataString(server.Own.Folder)}:{server.Own.Port}/nowhere"))
            Assert.Contains("\"nowhere\" does not exist", (await AssertFault(StoreFault.Unavailable, () => driver.Save())).Message, StringComparison.Ordinal);
        server.Own.Sql($"CREATE SCHEMA given_{name} AUTHORIZATION {name}");
        await using (var driver = PostgresServer.Open($"postgresql://{name}@{Uri.EscapeDataString(server.Own.Folder)}:{server.Own.Port}/postgres?schema=given_{name}"))
            Assert.Equal(1, await driver.Save());
    }

    [PostgresFact(IsOwn = true)]
    public async Task A_password_is_used_and_never_told()
    {
        await using (var driver = PostgresServer.Open(PostgresServer.WithSchema(server.Own.TcpUri, "password_test")))
        {
            Assert.NotNull(await driver.Save(step: 1, overwrite: true));
            AssertHides(driver.Location);
        }
        var wrong = server.Own.TcpUri.Replace(Uri.EscapeDataString(PostgresCluster.Password), "wrong-" + Uri.EscapeDataString(PostgresCluster.Password), StringComparison.Ordinal);
        await using (var driver = PostgresServer.Open(wrong))
        {
            AssertHides(driver.Location);
            var watch = Stopwatch.StartNew();
            AssertHides((await AssertFault(StoreFault.AccessDenied, () => driver.Save())).ToString());
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), "a wrong password is no reason to wait");
        }
        foreach (var broken in new[] { "postgresql://u:p%40ss%@h/d", "postgresql://u:p@ss/w:rd@h:x/d", "postgresql://h/d?password=p@ss/w:rd&sslmode=x", "postgresql://h/d?p@ss/w:rd", "postgresql://h/d?pass/w:rd=1" })
            AssertHides(Assert.Throws<StoreFaultException>(() => PostgresServer.Open(broken)).ToString(), "p@ss", "w:rd", "p%40ss");
    }

    [PostgresFact(IsOwn = true)]
    public async Task A_password_file_is_read()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var temp = new TempFolder();
        var file = temp.Write("pgpass", $"127.0.0.1:{server.Own.Port}:postgres:postgres:{PostgresCluster.Password.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal)}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using var driver = PostgresServer.Open($"postgres://postgres@127.0.0.1:{server.Own.Port}/postgres?schema=pgpass_test&passfile={Uri.EscapeDataString(file)}");
        Assert.NotNull(await driver.Save(step: 1, overwrite: true));
    }

    [Fact]
    public void An_address_is_written_in_one_way_whatever_way_it_was_given()
    {
        AssertName("postgresql://h", "postgres://h:5432");
        AssertName("postgresql://me@a,b:6000/db?schema=s&sslmode=require", "postgresql://me:secret@a:5432,b:6000/db?sslmode=require&schema=s&password=other");
        AssertName("postgresql://[::1]:6000/d%20b", "postgresql://[::1]:6000/d%20b");
        AssertName("postgresql://%2Ftmp%2Fx/db", "postgresql:///db?host=/tmp/x");
        AssertName("postgresql://u@h/db?sslmode=require", "postgresql:///db?user=u&host=h&ssl=true");
        foreach (var wrong in new[] { "postgresql://h?sslmod=require", "postgresql://h?sslmode=maybe", "postgresql://h:99999/d", "postgresql://[::1/d", "postgresql://a,b?port=1,2,3", "postgresql://h/d#x", "postgresql://h?target_session_attrs=best" })
            Assert.Equal(StoreFault.Unavailable, Assert.Throws<StoreFaultException>(() => PostgresServer.Open(wrong)).Fault);
    }

    [PostgresFact]
    public async Task A_save_and_its_line_of_the_history_are_one_transaction()
    {
        var schema = $"one_{NewName()}";
        var history = Key with { Kind = "history", Name = null };
        await using var driver = PostgresServer.Open(PostgresServer.WithSchema(server.Uri, schema));
        await using var other = PostgresServer.Open(PostgresServer.WithSchema(server.Uri, schema));
        await driver.Append(history);
        async Task<bool> Save()
        {
            var note = NoteTo(history);
            await driver.Save(note: note);
            return note.IsCommitted;
        }
        Assert.True(await Save());
        Assert.True(await Save());
        Assert.Equal("2", server.Sql($"SELECT count(*) FROM {schema}.entry AS e JOIN {schema}.entry AS h ON h.kind = 'history' AND h.xmin = e.xmin WHERE e.kind = 'checkpoint'"));
        // Where another one appended, the line would not follow from the last any more; the save is made all the same.
        await other.Append(history);
        Assert.False(await Save());
        Assert.Equal("saved 2 after 2, 4 after 3", string.Join(", ", (await driver.ReadAboveAsync(history, 2, default).All()).Select(Text)));
        Assert.Equal(3, (await driver.ReadAsync(Key, null, default))!.Step);
        server.Sql($"DROP SCHEMA {schema} CASCADE");
    }

    [PostgresFact(IsOwn = true)]
    public async Task Nothing_is_acknowledged_before_a_synchronous_standby_has_it()
    {
        using var primary = PostgresCluster.Start();
        using var standby = primary.StartStandby("second");
        var store = $"postgresql://postgres:{Uri.EscapeDataString(PostgresCluster.Password)}@127.0.0.1:{primary.Port},127.0.0.1:{standby.Port}/postgres";
        // Also where the user's own default promises less.
        primary.Sql("ALTER SYSTEM SET synchronous_standby_names = 'second'; ALTER ROLE postgres SET synchronous_commit = 'local'; ALTER ROLE postgres SET client_min_messages = 'error'; SELECT pg_reload_conf();");
        await using var driver = PostgresServer.Open(store);
        Assert.Equal(1, await driver.Save());
        standby.Stop("immediate");
        using var patience = new CancellationTokenSource();
        await using var save = await driver.BeginSaveAsync(Key, default);
        var saving = save.CommitAsync(new StoreCommit { MakeRecord = (_, _) => (Bytes("second"), NewName()) }, patience.Token).AsTask();
        // What need not be durable waits for nobody.
        Assert.Equal(1, await driver.Save(key: Key with { Name = "other" }, durable: false));
        await Task.Delay(1000);
        Assert.False(saving.IsCompleted);
        // Nor where the server is told not to wait any more, and says so.
        Assert.Contains("t", primary.Sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"), StringComparison.Ordinal);
        await Task.Delay(500);
        Assert.False(saving.IsCompleted);
        standby.Start();
        Assert.Equal(2, await saving);
        standby.Stop("immediate");

        await using var third = await driver.BeginSaveAsync(Key, default);
        saving = third.CommitAsync(new StoreCommit { MakeRecord = (_, _) => (Bytes("third"), NewName()) }, patience.Token).AsTask();
        await Task.Delay(500);
        var watch = Stopwatch.StartNew();
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => saving);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(1.5), $"it ended after {watch.Elapsed}");
    }

    [PostgresFact]
    public async Task A_removal_that_takes_longer_than_its_lease_lasts_does_not_keep_it_from_being_renewed()
    {
        var schema = $"slow_{NewName()}";
        await using var driver = PostgresServer.Open(PostgresServer.WithSchema(server.Uri, schema));
        var store = new DriverStore(driver);
        var stage = new StageId("nightly", null, "large");
        await store.SaveAsync(new CheckpointDraft { Stage = stage, SavedAt = DateTimeOffset.UtcNow }, default);
        server.Sql($"CREATE FUNCTION {schema}.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(6); RETURN OLD; END $$; CREATE TRIGGER slow BEFORE DELETE ON {schema}.entry FOR EACH ROW WHEN (OLD.kind = 'checkpoint') EXECUTE FUNCTION {schema}.slow()");
        using var lease = (await store.TryLeaseAsync(new LeaseName(stage), LeaseHolder.Self(TimeProvider.System), TimeSpan.FromSeconds(4), default)).Lease!;
        Assert.Equal(1, await store.RemoveAsync(stage, null, lease.Fence, default));
        Assert.Null(await lease.WhyLostAsync(default));
        await store.SaveAsync(new CheckpointDraft { Stage = stage, SavedAt = DateTimeOffset.UtcNow, Fence = lease.Fence }, default);
    }

    [PostgresFact]
    public async Task Of_a_state_that_two_replace_and_one_removes_at_once_nothing_is_left_behind()
    {
        var schema = $"orphans_{NewName()}";
        await using var driver = PostgresServer.Open(PostgresServer.WithSchema(server.Uri, schema));
        await driver.Save(step: 1, payload: new byte[2 << 20]);
        foreach (var last in new Func<Task>[] { () => driver.Save(step: 1, overwrite: true), async () => await driver.RemoveAsync(Key, [new StoreStep(1, null)], null, default), async () => await driver.RemoveAsync(Key, null, null, default) })
        {
            await driver.Save(step: 1, overwrite: true, payload: new byte[2 << 20]);
            var holding = Task.Run(() => server.Sql($"BEGIN; SELECT 1 FROM {schema}.entry WHERE step = 1 FOR UPDATE; SELECT pg_sleep(3), '{schema}'; COMMIT"));
            await Waiting(1, "wait_event = 'PgSleep'");
            // They come one after the other, and wait for the same row.
            var first = Task.Run(() => driver.Save(step: 1, overwrite: true, payload: new byte[6 << 20]));
            await Waiting(1, "wait_event_type = 'Lock'");
            var second = Task.Run(last);
            await Waiting(2, "wait_event_type = 'Lock'");
            await Task.WhenAll(holding, first, second);
            Assert.Equal("0", server.Sql($"SELECT count(*) FROM {schema}.chunk WHERE payload NOT IN (SELECT payload FROM {schema}.entry WHERE payload IS NOT NULL)"));
        }

        async Task Waiting(int count, string what)
        {
            for (var end = Environment.TickCount64 + 30_000; server.Sql($"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%{schema}%' AND {what} AND pid <> pg_backend_pid()") != $"{count}"; await Task.Delay(20))
                Assert.True(Environment.TickCount64 < end, $"not {count} with {what}");
        }
    }

    [PostgresFact]
    public async Task Whoever_waits_is_told_of_saves_removals_and_leases_given_back()
    {
        var store = server.NewStore();
        await using var waiting = PostgresServer.Open(store);
        await using var other = PostgresServer.Open(store);
        await other.Save();
        var (_, lease) = await other.TryLeaseAsync(Key, "me", TimeSpan.FromMinutes(1), default);
        await waiting.WaitForChangeAsync(Key, TimeSpan.FromMinutes(1), default);
        foreach (var change in new Func<Task>[]
        {
            () => other.Save(), () => other.Save(step: 2, overwrite: true), () => other.Append(Key), () => other.Save(payload: new byte[6 << 20]),
            async () => await other.RemoveAsync(Key, [new StoreStep(1, null)], null, default), async () => await other.ReleaseLeaseAsync(new StoreFence(Key, lease.Token), default),
        })
        {
            var wait = waiting.WaitForChangeAsync(Key, TimeSpan.FromMinutes(2), default).AsTask();
            await other.Save(key: Key with { Name = "another" });
            Assert.False(wait.IsCompleted);
            await change();
            await wait.WaitAsync(TimeSpan.FromMinutes(1));
        }
    }

    [PostgresFact(IsOwn = true)]
    public async Task A_standby_alone_is_read_only()
    {
        using var primary = PostgresCluster.Start();
        using var standby = primary.StartStandby("second");
        await using (var driver = PostgresServer.Open(primary.Uri))
            await driver.Save();
        for (var end = Environment.TickCount64 + 10_000; standby.Sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'checkpoint'") == "0";)
            Assert.True(Environment.TickCount64 < end);
        await using var reader = PostgresServer.Open(standby.Uri);
        Assert.Equal("step 1", Text(await reader.ReadAsync(Key, null, default)));
        primary.Stop("immediate");
        var password = Uri.EscapeDataString(PostgresCluster.Password);
        await using var both = PostgresServer.Open($"postgresql://postgres:{password}@127.0.0.1:{primary.Port},127.0.0.1:{standby.Port}/postgres?target_session_attrs=any");
        Assert.Equal("step 1", Text(await both.ReadAsync(Key, null, default)));
        await AssertFault(StoreFault.ReadOnly, () => reader.Save(step: 9));
        // It tells nobody of changes; whoever waits for one looks again when the time is over, and not all the time.
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 4; i++)
            await reader.WaitForChangeAsync(Key, TimeSpan.FromSeconds(1), default);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10));
    }

    private static async Task<StoreFaultException> AssertFault(StoreFault fault, Func<Task> call)
    {
        var error = await Assert.ThrowsAsync<StoreFaultException>(call);
        Assert.True(error.Fault == fault, error.ToString());
        return error;
    }

    private static void AssertName(string expected, string given)
    {
        var driver = PostgresServer.Open(given);
        Assert.Equal(expected, driver.Location);
        Assert.Equal(expected, PostgresServer.Open(driver.Location).Location);
    }

    private static void AssertHides(string text, params string[] secrets)
    {
        foreach (var secret in secrets.Length > 0 ? secrets : [PostgresCluster.Password, Uri.EscapeDataString(PostgresCluster.Password)])
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
    }
}
