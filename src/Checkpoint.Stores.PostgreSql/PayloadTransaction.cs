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
        return await WithinAsync(
            server,
            async token =>
            {
                var connection = await server.OpenAsync(token).ConfigureAwait(false);
                try
                {
                    var transaction = await connection.BeginTransactionAsync(token).ConfigureAwait(false);
                    var copy = await connection.BeginBinaryImportAsync(server.Statements.CopyChunks, token).ConfigureAwait(false);
                    copy.Timeout = TimeSpan.FromSeconds(60);
                    return new PayloadTransaction(server, connection, transaction, copy);
                }
                catch
                {
                    await connection.DisposeAsync().ConfigureAwait(false);
                    throw;
                }
            },
            cancellation).ConfigureAwait(false);
    }

    /// <summary>Does what is undone where the connection breaks: it can all be begun anew then, by who has the payload.</summary>
    public ValueTask<T> WithinAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellation) => WithinAsync(_server, work, cancellation);

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
    public ValueTask<bool> CommitAsync(CancellationToken cancellation) => _server.WithinAsync(
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

    private static async ValueTask<T> WithinAsync<T>(Server server, Func<CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        try
        {
            return await server.WithinAsync(work, cancellation).ConfigureAwait(false);
        }
        catch (StoreFaultException e) when (e.InnerException is { } cause && Faults.MayPass(cause))
        {
            throw new StoreFaultException(e.Fault, e.Message, cause) { MayRepeat = true };
        }
    }

    private async Task EndAsync()
    {
        try
        {
            if (_copy is not null)
                await _copy.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or IOException or InvalidOperationException or OperationCanceledException)
        {
            // The connection goes, and with it all that was sent.
        }
        // An open transaction ends with it.
        await Connection.DisposeAsync().ConfigureAwait(false);
    }
}
