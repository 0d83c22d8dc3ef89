using System.Diagnostics;
using Npgsql;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>
/// The servers of a store. Whatever is asked of them is asked again for a while where the connection breaks, a server is going or coming up, or none is the primary; and what a lost connection may have
/// committed is found out before it is done again.
/// </summary>
internal sealed class Server : IAsyncDisposable
{
    // A failover takes some tens of seconds. A server that never answered yet is more likely misnamed.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(10);

    // Time may pass while this process stands still, and say nothing of the server.
    private const int MinTries = 3;

    // Ctrl+C must have an effect within a second, also where the network leads nowhere.
    public static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(100);

    private readonly Location _location;
    private readonly NpgsqlDataSource _primary;
    private readonly NpgsqlDataSource _readable;
    private readonly string _session;
    private volatile bool _wasReached;

    public Server(Location location)
    {
        _location = location;
        Statements = new Statements(Statements.Quote(location.Schema));
        _session = $"Checkpoint {Guid.NewGuid():N}"[..19];
        var builder = new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder(location.Connection.ToString())
        {
            ApplicationName = _session,
            CommandTimeout = 15,
            CancellationTimeout = 250,
            MaxAutoPrepare = 64,
            AutoPrepareMinUsages = 2,
            // Nothing changes a session's state after its beginning.
            NoResetOnClose = true,
            HostRecheckSeconds = 1,
            Enlist = false,
        }.ToString());
        // A socket of the system knows no such options, and refuses them.
        if (!location.HasSocket)
            (builder.ConnectionStringBuilder.TcpKeepAlive, builder.ConnectionStringBuilder.TcpKeepAliveTime, builder.ConnectionStringBuilder.TcpKeepAliveInterval) = (true, 10, 5);
        builder.UsePhysicalConnectionInitializer(_ => throw new NotSupportedException(), BeginAsync);
        if (location.HasSeveralHosts)
        {
            var hosts = builder.BuildMultiHost();
            _primary = hosts.WithTargetSession(TargetSessionAttributes.ReadWrite);
            _readable = location.ReadFrom is { } target ? hosts.WithTargetSession(target) : _primary;
        }
        else
        {
            _primary = _readable = builder.Build();
        }
    }

    public Statements Statements { get; }

    /// <summary>Reads, and reads again where the connection broke.</summary>
    public ValueTask<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> read, T ofNothing, CancellationToken cancellation) => WithinAsync(async token =>
    {
        try
        {
            return await TryAsync(_readable, read, null, token).ConfigureAwait(false);
        }
        catch (Exception e) when (Faults.IsNoStore(e))
        {
            // A store that nobody has written to is empty.
            return ofNothing;
        }
    }, cancellation);

    /// <summary>Writes once, however often it must be tried.</summary>
    /// <param name="write">Writes, in one transaction.</param>
    /// <param name="settle">Says what came of a write whose answer was lost, now that it can no longer be under way; and false where nothing did. Null where writing twice is as good as once.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="makes">Whether the store is made where it is not there; else nothing is done then.</param>
    public ValueTask<T?> WriteAsync<T>(
        Func<NpgsqlConnection, CancellationToken, Task<T>> write, Func<NpgsqlConnection, CancellationToken, Task<(bool IsDone, T Result)>>? settle, CancellationToken cancellation, bool makes = true) => WithinAsync<T?>(async token =>
    {
        try
        {
            return await TryAsync(_primary, write, settle, token).ConfigureAwait(false);
        }
        catch (Exception e) when (Faults.IsNoStore(e))
        {
            if (!makes)
                return default;
            await TryAsync(_primary, (connection, t) => new SchemaMaker(Statements, _location).MakeAsync(connection, t), null, token).ConfigureAwait(false);
            return await TryAsync(_primary, write, settle, token).ConfigureAwait(false);
        }
    }, cancellation);

    /// <summary>Finds out what came of a write on a connection that was lost.</summary>
    public ValueTask<bool> SettleAsync(int session, Func<NpgsqlConnection, CancellationToken, Task<(bool IsDone, bool Result)>> settle, CancellationToken cancellation) =>
        WithinAsync(token => TryAsync(_primary, (_, _) => Task.FromResult(false), settle, token, session), cancellation);

    /// <summary>Opens a connection to the primary, for long.</summary>
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellation) => _primary.OpenConnectionAsync(cancellation);

    /// <summary>Does work as long as nobody cancels it; then it is given a moment, and left to itself where it does not end.</summary>
    public async ValueTask<T> WithinAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        try
        {
            cancellation.ThrowIfCancellationRequested();
            if (!cancellation.CanBeCanceled)
                return await work(default).ConfigureAwait(false);
            // Never disposed of: what is left to itself still looks at it.
            var inner = new CancellationTokenSource();
            var running = work(inner.Token);
            try
            {
                return await running.WaitAsync(cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                // It may end well all the same.
            }
            // To ask a server to cancel takes a connection of its own, and the one who cancels must not wait for that.
            _ = Task.Run(inner.Cancel, CancellationToken.None);
            await Task.WhenAny(running, Task.Delay(Farewell, CancellationToken.None)).ConfigureAwait(false);
            if (running.IsCompletedSuccessfully)
                return await running.ConfigureAwait(false);
            _ = running.ContinueWith(static t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw new OperationCanceledException(cancellation);
        }
        catch (Exception e) when (e is not (StoreFaultException or OperationCanceledException) && IsOurs(e))
        {
            throw Faults.Translate(e, _location.Connection.Database!);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _primary.DisposeAsync().ConfigureAwait(false);
        await _readable.DisposeAsync().ConfigureAwait(false);
    }

    private static bool IsOurs(Exception error) => error is NpgsqlException or IOException or TimeoutException or AggregateException or System.Net.Sockets.SocketException || error.Source == "Npgsql";

    // What is lost is the session that may have done it; 0 where there is nothing to find out.
    private async Task<T> TryAsync<T>(
        NpgsqlDataSource servers, Func<NpgsqlConnection, CancellationToken, Task<T>> work, Func<NpgsqlConnection, CancellationToken, Task<(bool IsDone, T Result)>>? settle, CancellationToken cancellation, int lost = 0)
    {
        var began = Stopwatch.GetTimestamp();
        var pause = TimeSpan.FromMilliseconds(50);
        for (var tries = 1; ; tries++)
        {
            var isAsked = false;
            var session = 0;
            var isUnconfirmed = false;
            try
            {
                await using var connection = await servers.OpenConnectionAsync(cancellation).ConfigureAwait(false);
                session = connection.ProcessID;
                _wasReached = true;
                void Hear(object sender, NpgsqlNoticeEventArgs e) => isUnconfirmed |= e.Notice.Routine == "SyncRepWaitForLSN";
                connection.Notice += Hear;
                try
                {
                    if (lost != 0)
                    {
                        await EndSessionAsync(connection, lost, cancellation).ConfigureAwait(false);
                        if (settle is not null)
                        {
                            var (isDone, result) = await settle(connection, cancellation).ConfigureAwait(false);
                            // What is committed may still wait for the standby, which a commit after it waits for too.
                            if (isDone)
                                await ConfirmAsync(connection, cancellation).ConfigureAwait(false);
                            if (isDone && !isUnconfirmed)
                                return result;
                            if (isUnconfirmed)
                                throw new TimeoutException("the standby has not confirmed it");
                        }
                        lost = 0;
                    }
                    isAsked = true;
                    var answer = await work(connection, cancellation).ConfigureAwait(false);
                    if (!isUnconfirmed)
                        return answer;
                    // It is committed here, and would be lost with this server: that is no answer yet.
                    cancellation.ThrowIfCancellationRequested();
                    throw new TimeoutException("the standby has not confirmed it");
                }
                finally
                {
                    connection.Notice -= Hear;
                }
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested && Faults.MayPass(e, _wasReached) && (tries < MinTries || Stopwatch.GetElapsedTime(began) < (_wasReached ? Patience : FirstPatience)))
            {
                if (isAsked && !Faults.IsRefusal(e))
                    lost = session;
                // Connections that lie ready lead to a server that was the primary.
                if (Faults.IsReadOnly(e))
                    servers.Clear();
            }
            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), cancellation).ConfigureAwait(false);
            pause = pause < TimeSpan.FromSeconds(1) ? pause * 2 : pause;
        }
    }

    /// <summary>Sees to it that nothing is under way any more in a session whose connection was lost. Also a request that the network delivers late finds nobody then.</summary>
    private async Task EndSessionAsync(NpgsqlConnection connection, int session, CancellationToken cancellation)
    {
        if (session == connection.ProcessID)
            return;
        for (var pause = TimeSpan.FromMilliseconds(2); ; pause *= 2)
        {
            await using var command = Query.On(connection, Statements.EndSession, p => p.With(session).With(_session));
            if (await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is null)
                return;
            if (pause > TimeSpan.FromSeconds(5))
                throw new TimeoutException("a session whose connection was lost does not end");
            await Task.Delay(pause, cancellation).ConfigureAwait(false);
        }
    }

    private async Task ConfirmAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = Query.On(connection, Statements.Confirm, p => p.With(Guid.NewGuid()));
        await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
    }

    private async Task BeginAsync(NpgsqlConnection connection)
    {
        bool isThere;
        await using (var command = new NpgsqlCommand(Statements.Begin, connection))
        {
            await using var row = await command.ExecuteReaderAsync().ConfigureAwait(false);
            await row.ReadAsync().ConfigureAwait(false);
            isThere = row.GetBoolean(4);
        }
        if (!isThere)
            return;
        await using var find = new NpgsqlCommand(Statements.FindVersion, connection);
        if (await find.ExecuteScalarAsync().ConfigureAwait(false) is int version && version > Statements.Version)
            throw new StoreFaultException(StoreFault.TooNew, $"its schema is of version {version}, and this module knows versions up to {Statements.Version}");
    }
}
