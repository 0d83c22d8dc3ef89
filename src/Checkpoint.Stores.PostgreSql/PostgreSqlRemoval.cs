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
        if (fence is null)
            return await RemoveStepsAsync(connection, cancellation).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        var count = await RemoveStepsAsync(connection, cancellation).ConfigureAwait(false);
        // At the end: it cannot be renewed from then on, and to remove much may take longer than it lasts.
        await using (var hold = Query.On(connection, Sql.HoldLease, p => p.With(fence.Lease).With(fence.Token)))
        {
            await using var row = await hold.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            if (!await row.ReadAsync(cancellation).ConfigureAwait(false))
                throw new StoreFaultException(StoreFault.LeaseLost, "its lease is not held any more");
        }
        await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        return count;
    }

    public async Task<(bool IsDone, long Count)> FindAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = Query.On(connection, Sql.FindDone, p => p.With(_id));
        return await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is long count ? (true, count) : (false, 0);
    }

    private async Task<long> RemoveStepsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var (take, remove) = (new NpgsqlBatchCommand(Sql.LockSteps(steps is not null)), new NpgsqlBatchCommand(Sql.Remove(steps is not null)));
        take.Parameters.With(key);
        remove.Parameters.With(key).With(_id).With(driver.NumberOf(key));
        if (steps is not null)
        {
            var numbers = steps.Select(s => s.Step).ToArray();
            take.Parameters.With(numbers, NpgsqlDbType.Bigint);
            remove.Parameters.With(numbers, NpgsqlDbType.Bigint).With(steps.Select(s => s.Revision).ToArray(), NpgsqlDbType.Text);
        }
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { take, remove }, Timeout = 600 };
        await using var row = await batch.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        await row.NextResultAsync(cancellation).ConfigureAwait(false);
        await row.ReadAsync(cancellation).ConfigureAwait(false);
        var count = row.GetInt64(0);
        // An error may come behind the row, up to the end of the commit.
        while (await row.ReadAsync(cancellation).ConfigureAwait(false) || await row.NextResultAsync(cancellation).ConfigureAwait(false))
        {
        }
        return count;
    }
}
