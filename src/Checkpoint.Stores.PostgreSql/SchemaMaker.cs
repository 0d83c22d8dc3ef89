using Npgsql;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>Makes the schema of a store, or brings it up to date: in one transaction, and one process after the other.</summary>
internal sealed class SchemaMaker(Statements statements, Location location)
{
    public async Task<bool> MakeAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        await RunAsync(connection, Statements.LockSchema, cancellation).ConfigureAwait(false);
        var (hasSchema, hasTables) = await FindAsync(connection, cancellation).ConfigureAwait(false);
        try
        {
            if (!hasSchema)
                await RunAsync(connection, statements.CreateSchema, cancellation).ConfigureAwait(false);
            foreach (var sql in statements.UpgradesFrom(hasTables ? await VersionAsync(connection, cancellation).ConfigureAwait(false) : 0))
                await RunAsync(connection, sql, cancellation).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InsufficientPrivilege)
        {
            var user = location.Connection.Username;
            throw new StoreFaultException(
                StoreFault.AccessDenied,
                $"user '{user}' may not make the schema '{location.Schema}' in the database '{location.Connection.Database}'; have its owner run: CREATE SCHEMA \"{location.Schema}\" AUTHORIZATION \"{user}\"",
                e);
        }
        await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        return true;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
    }

    private async Task<(bool HasSchema, bool HasTables)> FindAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(statements.FindSchema, connection);
        await using var row = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        await row.ReadAsync(cancellation).ConfigureAwait(false);
        return row.GetBoolean(2) ? (row.GetBoolean(0), row.GetBoolean(1))
            : throw new StoreFaultException(StoreFault.Unavailable, $"the database '{location.Connection.Database}' is not kept in UTF-8, in which alone every name can be; make another one with createdb -E UTF8 -T template0");
    }

    private async Task<int> VersionAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(statements.FindVersion, connection);
        return (int)(await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false))!;
    }
}
