using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Npgsql;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>Hears of changes: one connection of the process listens, and says of which keys it wants to be told.</summary>
internal sealed class ChangeListener(Server server) : IAsyncDisposable
{
    // A key that nobody has waited for since is given up, for a save that is told of costs others time.
    private static readonly TimeSpan IdleAfter = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<long, WatchedKey> _keys = new();
    private readonly SemaphoreSlim _gate = new(1);
    private readonly CancellationTokenSource _end = new();
    private CancellationTokenSource _wake = new();
    private Task? _listening;

    /// <summary>Waits for a change. The first wait for a key returns at once: what changed before the server knew of it is seen by looking again.</summary>
    public async ValueTask WaitAsync(long key, TimeSpan atMost, CancellationToken cancellation)
    {
        if (atMost <= TimeSpan.Zero)
            return;
        var watched = _keys.GetOrAdd(key, static _ => new WatchedKey());
        watched.Used = Stopwatch.GetTimestamp();
        var signal = watched.Take();
        if (signal is not null)
        {
            await StartAsync(cancellation).ConfigureAwait(false);
            try
            {
                await signal.WaitAsync(atMost, cancellation).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
            }
        }
        watched.Used = Stopwatch.GetTimestamp();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        await _wake.CancelAsync().ConfigureAwait(false);
        if (_listening is { } listening)
            await listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task StartAsync(CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_listening is not { IsCompleted: false })
                _listening = Task.Run(ListenAsync, CancellationToken.None);
            else if (_keys.Values.Any(k => !k.IsWatched))
                await _wake.CancelAsync().ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    // Ends with its connection; the next wait begins anew.
    private async Task ListenAsync()
    {
        try
        {
            await using var connection = await server.OpenAsync(_end.Token).ConfigureAwait(false);
            connection.Notification += (_, e) =>
            {
                if (long.TryParse(e.Payload, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var key) && _keys.TryGetValue(key, out var watched))
                    watched.Tell();
            };
            try
            {
                await RunAsync(connection, Statements.Listen, null).ConfigureAwait(false);
                while (!_end.IsCancellationRequested)
                {
                    await WatchAsync(connection).ConfigureAwait(false);
                    try
                    {
                        await connection.WaitAsync(IdleAfter, _wake.Token).ConfigureAwait(false);
                    }
                    catch (OperationCanceledException) when (!_end.IsCancellationRequested)
                    {
                    }
                }
            }
            finally
            {
                // Neither the locks nor the listening may stay with a connection that others are given.
                NpgsqlConnection.ClearPool(connection);
            }
        }
        catch (Exception e) when (e is NpgsqlException or IOException or SocketException or TimeoutException or InvalidOperationException or StoreFaultException or OperationCanceledException)
        {
            // Whoever waits looks again when the time is over, as where nobody tells.
        }
        finally
        {
            // Who could not be told of changes, as by a standby, which lets nobody listen, waits for as long as it would.
            foreach (var key in _keys.Values.Where(k => k.IsWatched))
            {
                key.IsWatched = false;
                key.Tell();
            }
        }
    }

    private async Task WatchAsync(NpgsqlConnection connection)
    {
        if (_wake.IsCancellationRequested)
            _wake = new CancellationTokenSource();
        foreach (var (key, watched) in _keys)
        {
            if (!watched.IsWatched)
            {
                await RunAsync(connection, Statements.Watch, key).ConfigureAwait(false);
                watched.IsWatched = true;
                watched.Tell();
            }
            else if (Stopwatch.GetElapsedTime(watched.Used) > IdleAfter && !watched.IsAwaited && _keys.TryRemove(key, out _))
            {
                await RunAsync(connection, Statements.Unwatch, key).ConfigureAwait(false);
            }
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, long? key)
    {
        await using var command = Query.On(connection, sql);
        if (key is { } number)
            command.Parameters.With(number);
        await command.ExecuteNonQueryAsync().ConfigureAwait(false);
    }
}
