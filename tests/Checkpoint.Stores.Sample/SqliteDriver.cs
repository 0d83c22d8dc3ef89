using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;

namespace Checkpoint.Stores.Sample;

/// <summary>
/// A sample of a driver: checkpoints in one SQLite file of this machine, <c>sqlite:///full/path.db</c>. All that is special about it is SQL; docs/stores.md goes through it.
/// </summary>
public sealed class SqliteDriver : StoreDriver
{
    private const string Schema = """
        PRAGMA journal_mode = WAL;
        CREATE TABLE IF NOT EXISTS entry(kind TEXT, pipeline TEXT, run TEXT, name TEXT, step INTEGER, record BLOB NOT NULL, revision TEXT NOT NULL, payload TEXT, length INTEGER,
            PRIMARY KEY (kind, pipeline, run, name, step)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS chunk(payload TEXT, number INTEGER, bytes BLOB NOT NULL, PRIMARY KEY (payload, number)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS lease(kind TEXT, pipeline TEXT, run TEXT, name TEXT, token INTEGER NOT NULL, holder TEXT NOT NULL, taken INTEGER NOT NULL, expires INTEGER NOT NULL,
            PRIMARY KEY (kind, pipeline, run, name)) WITHOUT ROWID;
        """;

    // No key is empty: so that stands for none.
    private const string IsKey = "kind = $kind AND pipeline = $pipeline AND run = $run AND name = $name";

    private const string Columns = "kind, pipeline, run, name, step, record, revision, length";

    private readonly string _path;
    private bool _isMade;

    /// <param name="location">The URI.</param>
    public SqliteDriver(string location)
    {
        Location = location;
        _path = Uri.TryCreate(location, UriKind.Absolute, out var uri) && uri is { Host: "", LocalPath.Length: > 1 } ? uri.LocalPath
            : throw new StoreFaultException(StoreFault.Unavailable, "it names no file; write sqlite:///full/path.db");
    }

    /// <inheritdoc/>
    public override string Location { get; }

    /// <inheritdoc/>
    public override ValueTask<StoreSave> BeginSaveAsync(StoreKey key, CancellationToken cancellation) => new(new SqliteSave(this, key));

    /// <inheritdoc/>
    public override ValueTask<StoreEntry?> ReadAsync(StoreKey key, long? step, CancellationToken cancellation) => new(Read(db =>
        Entries(db, $"SELECT {Columns} FROM entry WHERE {IsKey} AND ($step IS NULL OR step = $step) ORDER BY step DESC LIMIT 1", key, ("$step", step)).FirstOrDefault()));

    /// <inheritdoc/>
    public override ValueTask<IReadOnlyList<long>> ListStepsAsync(StoreKey key, CancellationToken cancellation) =>
        new(Read(db => Rows(db, $"SELECT step FROM entry WHERE {IsKey} ORDER BY step DESC", row => row.GetInt64(0), Parameters(key)).ToList()) ?? []);

    /// <inheritdoc/>
    public override async IAsyncEnumerable<StoreEntry> ReadAboveAsync(StoreKey key, long step, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        while (Read(db => Entries(db, $"SELECT {Columns} FROM entry WHERE {IsKey} AND step > $step ORDER BY step LIMIT 1", key, ("$step", step)).FirstOrDefault()) is { } entry)
        {
            yield return entry;
            step = entry.Step;
        }
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<StoreEntry> ListAsync(StoreQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        var listed = Read(db => Rows(db, $"""
            SELECT {Columns} FROM entry AS e
            WHERE kind = $kind AND ($pipeline IS NULL OR pipeline = $pipeline) AND (run <> '') = $inRuns AND ($run IS NULL OR run = $run) AND ($name IS NULL OR name = $name)
                AND step = (SELECT max(step) FROM entry AS n WHERE n.kind = e.kind AND n.pipeline = e.pipeline AND n.run = e.run AND n.name = e.name)
            ORDER BY pipeline, run, name
            """, ToEntry, [("$kind", query.Kind), ("$pipeline", query.Pipeline), ("$run", query.Run), ("$inRuns", query.InRuns), ("$name", query.Name)]).ToList());
        foreach (var entry in listed ?? [])
            yield return entry;
    }

    /// <inheritdoc/>
    public override ValueTask<Stream?> OpenPayloadAsync(StoreKey key, long step, string? name, CancellationToken cancellation) => new(Read<Stream>(db =>
        Rows(db, $"SELECT payload, length FROM entry WHERE {IsKey} AND step = $step AND payload = coalesce($payload, payload)", row => new SqlitePayload(this, row.GetString(0), row.GetInt64(1)),
            [.. Parameters(key), ("$step", step), ("$payload", name)]).FirstOrDefault()));

    /// <inheritdoc/>
    public override ValueTask<bool> ReplaceRecordAsync(StoreEntry entry, ReadOnlyMemory<byte> record, string revision, CancellationToken cancellation) => WriteAsync(db =>
        Run(db, $"UPDATE entry SET record = $record, revision = $new WHERE {IsKey} AND step = $step AND revision = $old",
            [.. Parameters(entry.Key), ("$step", entry.Step), ("$old", entry.Revision), ("$record", record.ToArray()), ("$new", revision)]) == 1, cancellation);

    /// <inheritdoc/>
    public override ValueTask<int> RemoveAsync(StoreKey key, IReadOnlyCollection<StoreStep>? steps, StoreFence? fence, CancellationToken cancellation) => File.Exists(_path) ? WriteAsync(db =>
    {
        if (fence is not null && !IsHeld(db, fence))
            throw new StoreFaultException(StoreFault.LeaseLost, "its lease is not held any more");
        var removed = (steps ?? [new StoreStep(-1, null)]).Sum(step =>
        {
            (string, object?)[] parameters = [.. Parameters(key), ("$step", step.Step), ("$revision", step.Revision)];
            const string Which = $"FROM entry WHERE {IsKey} AND ($step < 0 OR step = $step) AND ($revision IS NULL OR revision = $revision)";
            Run(db, "DELETE FROM chunk WHERE payload IN (SELECT payload " + Which + ")", parameters);
            return Run(db, "DELETE " + Which, parameters);
        });
        return removed;
    }, cancellation) : default;

    /// <inheritdoc/>
    public override ValueTask<(bool IsGranted, StoreLease Lease)> TryLeaseAsync(StoreKey key, string holder, TimeSpan duration, CancellationToken cancellation) => WriteAsync(db =>
    {
        var now = DateTime.UtcNow.Ticks;
        // A lease that is over keeps its row, so that its token is never given again.
        var isGranted = Run(db, """
            INSERT INTO lease VALUES ($kind, $pipeline, $run, $name, 1, $holder, $now, $expires)
            ON CONFLICT DO UPDATE SET token = token + 1, holder = excluded.holder, taken = excluded.taken, expires = excluded.expires WHERE expires <= $now
            """, [.. Parameters(key), ("$holder", holder), ("$now", now), ("$expires", now + duration.Ticks)]) == 1;
        return (isGranted, FindLease(db, key, 0)!);
    }, cancellation);

    /// <inheritdoc/>
    public override ValueTask<bool> RenewLeaseAsync(StoreFence lease, TimeSpan duration, CancellationToken cancellation) =>
        WriteAsync(db => SetExpiry(db, lease, DateTime.UtcNow.Ticks + duration.Ticks), cancellation);

    /// <inheritdoc/>
    public override async ValueTask ReleaseLeaseAsync(StoreFence lease, CancellationToken cancellation) => await WriteAsync(db => SetExpiry(db, lease, 0), cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public override ValueTask<StoreLease?> FindLeaseAsync(StoreKey key, CancellationToken cancellation) => new(Read(db => FindLease(db, key, DateTime.UtcNow.Ticks)));

    internal T? Read<T>(Func<SqliteConnection, T?> work)
    {
        // A store that nobody has written to is empty, and stays as it is.
        if (!File.Exists(_path))
            return default;
        using var db = Open();
        return Guard(() => work(db));
    }

    /// <summary>Does work in a transaction that others wait for.</summary>
    internal async ValueTask<T> WriteAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancellation)
    {
        using var db = Open();
        for (var until = DateTime.UtcNow.AddSeconds(30); ; await Task.Delay(10, cancellation).ConfigureAwait(false))
        {
            try
            {
                using var transaction = db.BeginTransaction(deferred: false);
                var result = Guard(() => work(db));
                transaction.Commit();
                return result;
            }
            catch (SqliteException e) when (e.SqliteErrorCode is SQLitePCL.raw.SQLITE_BUSY && DateTime.UtcNow < until)
            {
            }
            catch (SqliteException e)
            {
                throw Fault(e);
            }
        }
    }

    /// <summary>Whether a lease is in force.</summary>
    internal static bool IsHeld(SqliteConnection db, StoreFence lease) => FindLease(db, lease.Lease, DateTime.UtcNow.Ticks)?.Token == lease.Token;

    internal static int Run(SqliteConnection db, string sql, (string Name, object? Value)[] parameters)
    {
        using var command = Command(db, sql, parameters);
        return command.ExecuteNonQuery();
    }

    internal static IEnumerable<T> Rows<T>(SqliteConnection db, string sql, Func<SqliteDataReader, T> read, (string Name, object? Value)[] parameters)
    {
        using var command = Command(db, sql, parameters);
        using var rows = command.ExecuteReader();
        while (rows.Read())
            yield return read(rows);
    }

    internal static StoreEntry? Last(SqliteConnection db, StoreKey key) => Entries(db, $"SELECT {Columns} FROM entry WHERE {IsKey} ORDER BY step DESC LIMIT 1", key, ("$step", null)).FirstOrDefault();

    internal static (string, object?)[] Parameters(StoreKey key) => [("$kind", key.Kind), ("$pipeline", key.Pipeline), ("$run", key.Run ?? ""), ("$name", key.Name ?? "")];

    private static IEnumerable<StoreEntry> Entries(SqliteConnection db, string sql, StoreKey key, (string, object?) step) => Rows(db, sql, ToEntry, [.. Parameters(key), step]);

    private static StoreEntry ToEntry(SqliteDataReader row) => new(
        new StoreKey(row.GetString(0), row.GetString(1), row.GetString(2) is { Length: > 0 } run ? run : null, row.GetString(3) is { Length: > 0 } name ? name : null),
        row.GetInt64(4), row.GetFieldValue<byte[]>(5), row.GetString(6), row.IsDBNull(7) ? null : row.GetInt64(7));

    private static StoreLease? FindLease(SqliteConnection db, StoreKey key, long now) =>
        Rows(db, $"SELECT token, holder, taken, expires FROM lease WHERE {IsKey} AND expires > $now",
            row => new StoreLease(row.GetInt64(0), row.GetString(1), new DateTimeOffset(row.GetInt64(2), TimeSpan.Zero), TimeSpan.FromTicks(row.GetInt64(3) - DateTime.UtcNow.Ticks)),
            [.. Parameters(key), ("$now", now)]).FirstOrDefault();

    private static bool SetExpiry(SqliteConnection db, StoreFence lease, long expires) =>
        Run(db, $"UPDATE lease SET expires = $expires WHERE {IsKey} AND token = $token AND expires > $now", [.. Parameters(lease.Lease), ("$token", lease.Token), ("$expires", expires), ("$now", DateTime.UtcNow.Ticks)]) == 1;

    private static SqliteCommand Command(SqliteConnection db, string sql, (string Name, object? Value)[] parameters)
    {
        var command = db.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    private static T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException e) when (e.SqliteErrorCode != SQLitePCL.raw.SQLITE_BUSY)
        {
            throw Fault(e);
        }
    }

    private static StoreFaultException Fault(SqliteException e) => new(
        e.SqliteErrorCode switch
        {
            SQLitePCL.raw.SQLITE_FULL => StoreFault.Full,
            SQLitePCL.raw.SQLITE_READONLY => StoreFault.ReadOnly,
            SQLitePCL.raw.SQLITE_PERM or SQLitePCL.raw.SQLITE_AUTH => StoreFault.AccessDenied,
            _ => StoreFault.Unavailable,
        },
        e.Message, e);

    private SqliteConnection Open()
    {
        var db = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _path, DefaultTimeout = 1 }.ToString());
        try
        {
            db.Open();
            if (!_isMade)
                Run(db, Schema, []);
            _isMade = true;
            return db;
        }
        catch (SqliteException e)
        {
            db.Dispose();
            throw Fault(e);
        }
    }
}
