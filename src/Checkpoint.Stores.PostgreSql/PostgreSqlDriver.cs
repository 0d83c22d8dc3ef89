using System.Diagnostics;
using System.Runtime.CompilerServices;
using Npgsql;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>Checkpoints in PostgreSQL, in a schema of their own: <c>postgresql://user@host1,host2/database</c>. docs/postgresql.md says what it asks of the server.</summary>
public sealed class PostgreSqlDriver : StoreDriver
{
    // A page of entries that are read one after the other: of so many bytes, about.
    private const int PageBytes = 4 << 20;
    private const int MaxPage = 1000;

    private static readonly TimeSpan ForgetEvery = TimeSpan.FromMinutes(10);

    private readonly Location _location;
    private readonly ChangeListener _listener;
    private long _forgotten;

    /// <param name="location">The URI.</param>
    public PostgreSqlDriver(string location)
    {
        ArgumentNullException.ThrowIfNull(location);
        _location = new Location(location);
        Server = new Server(_location);
        _listener = new ChangeListener(Server);
    }

    /// <inheritdoc/>
    public override string Location => _location.Name;

    internal Server Server { get; }

    internal LastSteps Lasts { get; } = new();

    private Statements Sql => Server.Statements;

    /// <inheritdoc/>
    public override ValueTask<StoreSave> BeginSaveAsync(StoreKey key, CancellationToken cancellation) => new(new PostgreSqlSave(this, key, cancellation));

    /// <inheritdoc/>
    public override ValueTask<StoreEntry?> ReadAsync(StoreKey key, long? step, CancellationToken cancellation) => Server.ReadAsync<StoreEntry?>(
        async (connection, token) =>
        {
            await using var command = step is { } given ? Query.On(connection, Sql.ReadStep, p => p.With(key).With(given)) : Query.On(connection, Sql.ReadLast, key);
            await using var row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            return await row.ReadAsync(token).ConfigureAwait(false) ? ToEntry(row, key, 0) : null;
        },
        null,
        cancellation);

    /// <inheritdoc/>
    public override ValueTask<IReadOnlyList<long>> ListStepsAsync(StoreKey key, CancellationToken cancellation) => Server.ReadAsync<IReadOnlyList<long>>(
        async (connection, token) =>
        {
            await using var command = Query.On(connection, Sql.ListSteps, key);
            await using var row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            var steps = new List<long>();
            while (await row.ReadAsync(token).ConfigureAwait(false))
                steps.Add(row.GetInt64(0));
            return steps;
        },
        [],
        cancellation);

    /// <inheritdoc/>
    public override IAsyncEnumerable<StoreEntry> ReadAboveAsync(StoreKey key, long step, CancellationToken cancellation) => ReadPagesAsync(
        (connection, last, limit) => Query.On(connection, Sql.ReadAbove, p => p.With(key).With(last?.Step ?? step).With((long)limit)),
        row => ToEntry(row, key, 0),
        cancellation);

    /// <inheritdoc/>
    public override IAsyncEnumerable<StoreEntry> ListAsync(StoreQuery query, CancellationToken cancellation)
    {
        var run = query.InRuns ? query.Run : "";
        StoreEntry Entry(NpgsqlDataReader row) => ToEntry(row, new StoreKey(query.Kind, row.GetString(0), NullIfEmpty(row.GetString(1)), NullIfEmpty(row.GetString(2))), 3);
        var isOne = query.Pipeline is not null && run is not null && query.Name is not null;
        return ReadPagesAsync(
            (connection, last, limit) => Query.On(connection, Sql.List(new ListShape(query.Pipeline is not null, run is not null, query.Name is not null, last is null)), p => p
                .With(query.Kind).With(query.InRuns).With(query.Pipeline).With(run).With(query.Name)
                .With(last?.Key.Pipeline).With(last is null ? null : last.Key.Run ?? "").With(last is null ? null : last.Key.Name ?? "").With((long)limit)),
            Entry,
            cancellation,
            isOne);
    }

    /// <inheritdoc/>
    public override ValueTask<Stream?> OpenPayloadAsync(StoreKey key, long step, string? name, CancellationToken cancellation) => Server.ReadAsync<Stream?>(
        async (connection, token) =>
        {
            await using var command = Query.On(connection, Sql.FindPayload, p => p.With(key).With(step));
            await using var row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            return await row.ReadAsync(token).ConfigureAwait(false) && row.GetGuid(0) is var payload && (name is null || (Guid.TryParseExact(name, "N", out var wanted) && payload == wanted))
                ? new PayloadReader(Server, payload, row.GetInt64(1), cancellation) : null;
        },
        null,
        cancellation);

    /// <inheritdoc/>
    public override ValueTask<bool> ReplaceRecordAsync(StoreEntry entry, ReadOnlyMemory<byte> record, string revision, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return Server.WriteAsync(
            async (connection, token) =>
            {
                await using var command = Query.On(connection, Sql.Replace, p => p.With(entry.Key).With(entry.Step).With(record).With(revision).With(entry.Revision).With(NumberOf(entry.Key)));
                return await CountAsync(command, token).ConfigureAwait(false) == 1;
            },
            async (connection, token) =>
            {
                await using var command = Query.On(connection, Sql.FindRevision, p => p.With(entry.Key).With(entry.Step));
                return (await command.ExecuteScalarAsync(token).ConfigureAwait(false) as string == revision, true);
            },
            cancellation,
            makes: false);
    }

    /// <inheritdoc/>
    public override async ValueTask<int> RemoveAsync(StoreKey key, IReadOnlyCollection<StoreStep>? steps, StoreFence? fence, CancellationToken cancellation)
    {
        if (steps is { Count: 0 })
            return 0;
        var removal = new PostgreSqlRemoval(this, key, steps, fence);
        var removed = await Server.WriteAsync(removal.RemoveAsync, removal.FindAsync, cancellation, makes: false).ConfigureAwait(false);
        if (removed > 0)
            await ForgetAsync(cancellation).ConfigureAwait(false);
        return (int)removed;
    }

    /// <inheritdoc/>
    public override ValueTask<(bool IsGranted, StoreLease Lease)> TryLeaseAsync(StoreKey key, string holder, TimeSpan duration, CancellationToken cancellation)
    {
        var taking = Guid.NewGuid();
        return Server.WriteAsync(
            async (connection, token) =>
            {
                while (true)
                {
                    // As it was taken: by the time of another look it may be over, and the lease of somebody else in its place.
                    await using var take = Query.On(connection, Sql.TakeLease, p => p.With(key).With(holder).With(duration).With(taking));
                    if (await LeaseOfAsync(take, token).ConfigureAwait(false) is { } taken)
                        return (true, taken);
                    // The one that was in the way may be over by now.
                    if (await FindLeaseAsync(connection, key, token).ConfigureAwait(false) is { } other)
                        return (false, other);
                }
            },
            null,
            cancellation);
    }

    /// <inheritdoc/>
    public override ValueTask<bool> RenewLeaseAsync(StoreFence lease, TimeSpan duration, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return Server.WriteAsync(
            async (connection, token) =>
            {
                await using var command = Query.On(connection, Sql.RenewLease, p => p.With(lease.Lease).With(lease.Token).With(duration));
                return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false) == 1;
            },
            null,
            cancellation,
            makes: false);
    }

    /// <inheritdoc/>
    public override async ValueTask ReleaseLeaseAsync(StoreFence lease, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(lease);
        await Server.WriteAsync(
            async (connection, token) =>
            {
                await using var command = Query.On(connection, Sql.ReleaseLease, p => p.With(lease.Lease).With(lease.Token).With(NumberOf(lease.Lease)));
                return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            },
            null,
            cancellation,
            makes: false).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override ValueTask<StoreLease?> FindLeaseAsync(StoreKey key, CancellationToken cancellation) => Server.ReadAsync((connection, token) => FindLeaseAsync(connection, key, token), null, cancellation);

    /// <inheritdoc/>
    public override ValueTask WaitForChangeAsync(StoreKey key, TimeSpan atMost, CancellationToken cancellation) => _listener.WaitAsync(NumberOf(key), atMost, cancellation);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync().ConfigureAwait(false);
        await Server.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    internal long NumberOf(StoreKey key) => KeyNumber.Of(_location.Schema, key);

    internal long OrderNumberOf(StoreKey key) => KeyNumber.OfOrder(_location.Schema, key);

    /// <summary>Forgets, now and then, what nobody asks for any more.</summary>
    internal async ValueTask ForgetAsync(CancellationToken cancellation)
    {
        var last = Interlocked.Read(ref _forgotten);
        if ((last != 0 && Stopwatch.GetElapsedTime(last) < ForgetEvery) || Interlocked.CompareExchange(ref _forgotten, Stopwatch.GetTimestamp(), last) != last)
            return;
        try
        {
            await Server.WriteAsync(
                async (connection, token) =>
                {
                    await using var command = Query.On(connection, Sql.Forget);
                    return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
                },
                null,
                cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StoreFaultException or OperationCanceledException)
        {
            // Another time; what was asked for is done.
        }
    }

    internal static StoreEntry ToEntry(NpgsqlDataReader row, StoreKey key, int first) =>
        new(key, row.GetInt64(first), row.GetFieldValue<byte[]>(first + 1), row.GetString(first + 2), row.IsDBNull(first + 3) ? null : row.GetInt64(first + 3));

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    private static async Task<long> CountAsync(NpgsqlCommand command, CancellationToken cancellation) => (long)(await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false))!;

    private async Task<StoreLease?> FindLeaseAsync(NpgsqlConnection connection, StoreKey key, CancellationToken cancellation)
    {
        await using var command = Query.On(connection, Sql.FindLease, key);
        return await LeaseOfAsync(command, cancellation).ConfigureAwait(false);
    }

    private static async Task<StoreLease?> LeaseOfAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        await using var row = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        return await row.ReadAsync(cancellation).ConfigureAwait(false)
            ? new StoreLease(row.GetInt64(0), row.GetString(1), row.GetFieldValue<DateTimeOffset>(2), row.GetFieldValue<TimeSpan>(3)) : null;
    }

    private async IAsyncEnumerable<StoreEntry> ReadPagesAsync(
        Func<NpgsqlConnection, StoreEntry?, int, NpgsqlCommand> ask, Func<NpgsqlDataReader, StoreEntry> read, [EnumeratorCancellation] CancellationToken cancellation, bool isOne = false)
    {
        StoreEntry? last = null;
        for (var limit = 16; ;)
        {
            var page = await Server.ReadAsync<List<StoreEntry>>(
                async (connection, token) =>
                {
                    await using var command = ask(connection, last, limit);
                    await using var row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                    var entries = new List<StoreEntry>();
                    while (await row.ReadAsync(token).ConfigureAwait(false))
                        entries.Add(read(row));
                    return entries;
                },
                [],
                cancellation).ConfigureAwait(false);
            foreach (var entry in page)
                yield return entry;
            if (page.Count < limit || isOne)
                yield break;
            last = page[^1];
            var size = Math.Max(1, page.Sum(e => (long)e.Record.Length) / page.Count);
            limit = (int)Math.Clamp(PageBytes / size, 1, Math.Min(limit * 4, MaxPage));
        }
    }
}
