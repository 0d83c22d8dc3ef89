using Npgsql;
using NpgsqlTypes;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>The transaction in which a large payload is sent, chunk by chunk, before anybody can see it.</summary>
internal sealed class PayloadTransaction : IAsyncDisposable
{
    private readonly Server _server;
    private readonly NpgsqlTransaction _transaction;
    private NpgsqlBinaryImporter? _copy;
    private bool _isUnconfirmed;
    private Task _last = Task.CompletedTask;

    private PayloadTransaction(Server server, NpgsqlConnection connection, NpgsqlTransaction transaction, NpgsqlBinaryImporter copy)
    {
        (_server, Connection, Session, _transaction, _copy) = (server, connection, connection.ProcessID, transaction, copy);
        connection.Notice += (_, e) => _isUnconfirmed |= e.Notice.Routine == "SyncRepWaitForLSN";
    }

    public NpgsqlConnection Connection { get; }

    /// <summary>The server's number of the session.</summary>
    public int Session { get; }

    public static async Task<PayloadTransaction> BeginAsync(Server server, CancellationToken cancellation)
    {
        // What can be found out, waited for or made before is.
        await server.WriteAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(server.Statements.FindVersion, connection);
                return await command.ExecuteScalarAsync(token).ConfigureAwait(false);
            },
            null,
            cancellation).ConfigureAwait(false);
        try
        {
            return await server.WithinAsync(token => OpenAsync(server, token), cancellation).ConfigureAwait(false);
        }
        catch (StoreFaultException e) when (e.InnerException is { } cause && Faults.MayPass(cause))
        {
            throw Repeatable(e);
        }
    }

    /// <summary>Does what is undone where the connection breaks: it can all be begun anew then, by who has the payload.</summary>
    public async ValueTask<T> WithinAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        try
        {
            return await OneAsync(work, cancellation).ConfigureAwait(false);
        }
        catch (StoreFaultException e) when (e.InnerException is { } cause && Faults.MayPass(cause))
        {
            // What its session may still be doing must not be in the way of the next.
            await _server.SettleAsync(Session, static (_, _) => Task.FromResult((true, true)), cancellation).ConfigureAwait(false);
            throw Repeatable(e);
        }
    }

    public ValueTask<bool> WriteAsync(Guid payload, long number, ReadOnlyMemory<byte> chunk, CancellationToken cancellation) => WithinAsync(
        async token =>
        {
            await _copy!.StartRowAsync(token).ConfigureAwait(false);
            await _copy.WriteAsync(payload, NpgsqlDbType.Uuid, token).ConfigureAwait(false);
            await _copy.WriteAsync(number, NpgsqlDbType.Bigint, token).ConfigureAwait(false);
            await _copy.WriteAsync(chunk, NpgsqlDbType.Bytea, token).ConfigureAwait(false);
            return true;
        },
        cancellation);

    public ValueTask<ulong> CompleteAsync(CancellationToken cancellation) => WithinAsync(
        async token =>
        {
            var rows = await _copy!.CompleteAsync(token).ConfigureAwait(false);
            await _copy.DisposeAsync().ConfigureAwait(false);
            _copy = null;
            return rows;
        },
        cancellation);

    /// <summary>Commits.</summary>
    /// <returns>False where the answer was lost.</returns>
    public ValueTask<bool> CommitAsync(CancellationToken cancellation) => OneAsync(
        async token =>
        {
            try
            {
                await _transaction.CommitAsync(token).ConfigureAwait(false);
                return !_isUnconfirmed;
            }
            catch (Exception e) when (!token.IsCancellationRequested && Faults.MayPass(e) && !Faults.IsRefusal(e))
            {
                return false;
            }
        },
        cancellation);

    /// <summary>Ends it, and what was not committed is gone. Left to itself where the server does not answer: nobody waits for that.</summary>
    public async ValueTask DisposeAsync() => await Task.WhenAny(EndAsync(), Task.Delay(Server.Farewell)).ConfigureAwait(false);

    // What is left to itself goes on with the connection, which must not be closed before.
    private ValueTask<T> OneAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellation) => _server.WithinAsync(
        token =>
        {
            var running = work(token);
            _last = running;
            return running;
        },
        cancellation);

    private static async Task<PayloadTransaction> OpenAsync(Server server, CancellationToken cancellation)
    {
        var connection = await server.OpenAsync(cancellation).ConfigureAwait(false);
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
            var copy = await connection.BeginBinaryImportAsync(server.Statements.CopyChunks, cancellation).ConfigureAwait(false);
            copy.Timeout = TimeSpan.FromSeconds(60);
            return new PayloadTransaction(server, connection, transaction, copy);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static StoreFaultException Repeatable(StoreFaultException error) => new(error.Fault, error.Message, error.InnerException) { MayRepeat = true };

    private async Task EndAsync()
    {
        await _last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            if (_copy is not null)
                await _copy.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or IOException or InvalidOperationException or OperationCanceledException)
        {
            // The connection goes, and with it all that was sent.
        }
        finally
        {
            // An open transaction ends with it.
            await Connection.DisposeAsync().ConfigureAwait(false);
        }
    }
}
