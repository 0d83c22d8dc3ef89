using Npgsql;
using NpgsqlTypes;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>Removes entries with their payloads, in one transaction.</summary>
internal sealed class PostgreSqlRemoval(PostgreSqlDriver driver, StoreKey key, IReadOnlyCollection<StoreStep>? steps, StoreFence? fence)
{
    private readonly Guid _id = Guid.NewGuid();

    private Statements Sql => driver.Server.Statements;

    public async Task<long> RemoveAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var remove = new NpgsqlBatchCommand(Sql.Remove(new RemovalShape(steps is not null, fence is not null)));
        remove.Parameters.With(key).With(_id).With(driver.NumberOf(key));
        if (steps is not null)
            remove.Parameters.With(steps.Select(s => s.Step).ToArray(), NpgsqlDbType.Bigint).With(steps.Select(s => s.Revision).ToArray(), NpgsqlDbType.Text);
        if (fence is not null)
            remove.Parameters.With(fence.Lease).With(fence.Token);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Lock(), remove }, Timeout = 600 };
        await using var row = await batch.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        await row.NextResultAsync(cancellation).ConfigureAwait(false);
        await row.ReadAsync(cancellation).ConfigureAwait(false);
        var (count, isHeld) = (row.GetInt64(0), row.GetBoolean(1));
        // An error may come behind the row, up to the end of the commit.
        while (await row.ReadAsync(cancellation).ConfigureAwait(false) || await row.NextResultAsync(cancellation).ConfigureAwait(false))
        {
        }
        return isHeld ? count : throw new StoreFaultException(StoreFault.LeaseLost, "its lease is not held any more");
    }

    public async Task<(bool IsDone, long Count)> FindAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = Query.On(connection, Sql.FindDone, p => p.With(_id));
        return await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is long count ? (true, count) : (false, 0);
    }

    private NpgsqlBatchCommand Lock()
    {
        var command = new NpgsqlBatchCommand(Sql.LockSteps(steps is not null));
        command.Parameters.With(key);
        if (steps is not null)
            command.Parameters.With(steps.Select(s => s.Step).ToArray(), NpgsqlDbType.Bigint);
        return command;
    }
}
