using Npgsql;
using NpgsqlTypes;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>A save: one statement where the payload is small, else one transaction.</summary>
internal sealed class PostgreSqlSave(PostgreSqlDriver driver, StoreKey key, CancellationToken begun) : StoreSave
{
    private PayloadWriter? _payload;

    private Server Server => driver.Server;

    private Statements Sql => driver.Server.Statements;

    public override Stream OpenPayload(string name) => _payload = new PayloadWriter(driver.Server, Guid.ParseExact(name, "N"), begun);

    public override async ValueTask<long?> CommitAsync(StoreCommit commit, CancellationToken cancellation)
    {
        var step = _payload?.Transaction is { } transaction ? await CommitAsync(transaction, commit, cancellation).ConfigureAwait(false)
            : commit.NeedsLast ? await AppendAsync(commit, cancellation).ConfigureAwait(false)
            : await CommitAtOnceAsync(commit, cancellation).ConfigureAwait(false);
        if (step is { } saved && commit.Step is null)
            driver.Lasts.Saw(key, saved);
        if (commit.Overwrite)
            await driver.ForgetAsync(cancellation).ConfigureAwait(false);
        return step;
    }

    public override ValueTask DisposeAsync() => _payload?.EndAsync() ?? default;

    private static StepRule RuleOf(StoreCommit commit) => commit.Step is null ? StepRule.Next : commit.Overwrite ? StepRule.Overwrite : StepRule.New;

    private async Task<long?> CommitAtOnceAsync(StoreCommit commit, CancellationToken cancellation)
    {
        // One save at a time says what follows the last entry; those beside it leave their notes to be appended afterwards.
        var last = commit.Note is { } note ? driver.Lasts.Take(note.Key) : null;
        for (long? step = commit.StepAfter(driver.Lasts.StepOf(key)); step is not null;)
        {
            var (record, revision) = commit.MakeRecord(step.Value, null);
            var attempt = new SaveAttempt(step.Value, record, revision, null) { Note = last is null ? null : Note(commit.Note!, step.Value, last) };
            var answer = await WriteAsync(commit, attempt, cancellation).ConfigureAwait(false);
            if (answer.IsSaved)
            {
                if (attempt.Note is { } written && (commit.Note!.IsCommitted = answer.IsNoted))
                    Remember(commit.Note.Key, written);
                return step;
            }
            step = NextTry(commit, attempt, answer);
        }
        return null;
    }

    private ValueTask<SaveAnswer> WriteAsync(StoreCommit commit, SaveAttempt attempt, CancellationToken cancellation) =>
        Server.WriteAsync((connection, token) => SaveAsync(connection, commit, attempt, token), (connection, token) => FindAsync(connection, commit, attempt, token), cancellation);

    // One after the other, since each record follows from the one before. Where this process is the only one that appends it knows the last one, and asks once.
    private async Task<long?> AppendAsync(StoreCommit commit, CancellationToken cancellation)
    {
        if (commit.Step is null && driver.Lasts.EntryOf(key) is { } known)
        {
            var attempt = Follow(commit, known);
            var answer = await WriteAsync(commit, attempt, cancellation).ConfigureAwait(false);
            if (answer.IsSaved)
                return Remember(key, attempt);
            driver.Lasts.Forget(key);
        }
        SaveAttempt? latest = null;
        var isSaved = false;
        await Server.WriteAsync(
            async (connection, token) =>
            {
                SaveAnswer answer;
                do
                {
                    latest = Follow(commit, await LockAndReadLastAsync(connection, token).ConfigureAwait(false));
                    answer = await SaveAndCommitAsync(connection, commit, latest, token).ConfigureAwait(false);
                }
                while (!answer.IsSaved && NextTry(commit, latest, answer) is not null);
                return isSaved = answer.IsSaved;
            },
            async (connection, token) =>
            {
                isSaved = latest is not null && (await FindAsync(connection, commit, latest, token).ConfigureAwait(false)).IsDone;
                return (isSaved, isSaved);
            },
            cancellation).ConfigureAwait(false);
        return isSaved ? Remember(key, latest!) : null;
    }

    private static SaveAttempt Follow(StoreCommit commit, StoreEntry? last)
    {
        var step = commit.StepAfter(last?.Step);
        var (record, revision) = commit.MakeRecord(step, last);
        return new SaveAttempt(step, record, revision, last?.Revision ?? "");
    }

    private static SaveAttempt Note(StoreNote note, long saved, StoreEntry last)
    {
        var (record, revision) = note.MakeRecord(saved, last);
        return new SaveAttempt(last.Step + 1, record, revision, last.Revision);
    }

    private long Remember(StoreKey appendedTo, SaveAttempt saved)
    {
        driver.Lasts.Appended(new StoreEntry(appendedTo, saved.Step, saved.Record.ToArray(), saved.Revision, null), saved.After is { Length: > 0 } before ? before : null);
        return saved.Step;
    }

    // The chunks are there already, in a transaction that nobody sees.
    private async Task<long?> CommitAsync(PayloadTransaction transaction, StoreCommit commit, CancellationToken cancellation)
    {
        for (long? step = commit.StepAfter(driver.Lasts.StepOf(key)); step is not null;)
        {
            var (record, revision) = commit.MakeRecord(step.Value, null);
            var attempt = new SaveAttempt(step.Value, record, revision, null);
            var answer = await transaction.WithinAsync(token => SaveAsync(transaction.Connection, commit, attempt, token), cancellation).ConfigureAwait(false);
            if (answer.IsSaved)
            {
                var isCommitted = await transaction.CommitAsync(cancellation).ConfigureAwait(false)
                    || await Server.SettleAsync(transaction.Session, async (connection, token) => ((await FindAsync(connection, commit, attempt, token).ConfigureAwait(false)).IsDone, true), cancellation).ConfigureAwait(false);
                return isCommitted ? step : throw new StoreFaultException(StoreFault.Unavailable, "the connection broke at the end of a large state, and nothing was saved") { MayRepeat = true };
            }
            step = NextTry(commit, attempt, answer);
        }
        return null;
    }

    private static long? NextTry(StoreCommit commit, SaveAttempt tried, SaveAnswer answer) =>
        !answer.IsHeld ? throw new StoreFaultException(StoreFault.LeaseLost, "its lease is not held any more")
        : RuleOf(commit) switch
        {
            StepRule.Next => commit.StepAfter(answer.Last),
            // It came or went between two looks.
            StepRule.Overwrite => tried.Step,
            _ => null,
        };

    private void Fill(NpgsqlParameterCollection parameters, StoreCommit commit, SaveAttempt attempt)
    {
        var chunks = _payload?.Chunks;
        parameters.With(key).With(attempt.Step).With(attempt.Record).With(attempt.Revision).With(_payload?.Name).With(_payload?.Length).With(attempt.Id).With(driver.NumberOf(key));
        if (attempt.After is { } after)
            parameters.With(after);
        if (commit.Fence is { } fence)
            parameters.With(fence.Lease).With(fence.Token);
        if (chunks is not null)
            parameters.With(chunks, NpgsqlDbType.Bytea);
        if (attempt.Note is { } note)
            parameters.With(commit.Note!.Key).With(note.Step).With(note.Record).With(note.Revision).With(note.Id).With(note.After);
    }

    private string StatementOf(StoreCommit commit, SaveAttempt attempt) =>
        Sql.Save(new SaveShape(RuleOf(commit), commit.Fence is not null, _payload?.Chunks is not null, attempt.After is not null, attempt.Note is not null, commit.IsDurable));

    private async Task<SaveAnswer> SaveAsync(NpgsqlConnection connection, StoreCommit commit, SaveAttempt attempt, CancellationToken cancellation)
    {
        if (RuleOf(commit) == StepRule.Overwrite)
            return await OverwriteAsync(connection, commit, attempt, cancellation).ConfigureAwait(false);
        await using (var command = new NpgsqlCommand(StatementOf(commit, attempt), connection))
        {
            Fill(command.Parameters, commit, attempt);
            await using var row = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            if (await IsSavedAsync(row, attempt, cancellation).ConfigureAwait(false) is { IsSaved: true } saved)
                return saved;
        }
        return await LookAsync(connection, commit, cancellation).ConfigureAwait(false);
    }

    private async Task<SaveAnswer> OverwriteAsync(NpgsqlConnection connection, StoreCommit commit, SaveAttempt attempt, CancellationToken cancellation)
    {
        var (take, save) = (new NpgsqlBatchCommand(Sql.LockSteps(true)), new NpgsqlBatchCommand(StatementOf(commit, attempt)));
        take.Parameters.With(key).With([attempt.Step], NpgsqlDbType.Bigint);
        Fill(save.Parameters, commit, attempt);
        await using (var batch = new NpgsqlBatch(connection) { BatchCommands = { take, save } })
        {
            await using var row = await batch.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            await row.NextResultAsync(cancellation).ConfigureAwait(false);
            if (await IsSavedAsync(row, attempt, cancellation).ConfigureAwait(false) is { IsSaved: true } saved)
                return saved;
        }
        return await LookAsync(connection, commit, cancellation).ConfigureAwait(false);
    }

    private async Task<SaveAnswer> SaveAndCommitAsync(NpgsqlConnection connection, StoreCommit commit, SaveAttempt attempt, CancellationToken cancellation)
    {
        var save = new NpgsqlBatchCommand(StatementOf(commit, attempt));
        Fill(save.Parameters, commit, attempt);
        await using (var batch = new NpgsqlBatch(connection) { BatchCommands = { save, new NpgsqlBatchCommand("COMMIT") } })
        {
            await using var row = await batch.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            if (await IsSavedAsync(row, attempt, cancellation).ConfigureAwait(false) is { IsSaved: true } saved)
                return saved;
        }
        return await LookAsync(connection, commit, cancellation).ConfigureAwait(false);
    }

    private static async Task<SaveAnswer> IsSavedAsync(NpgsqlDataReader row, SaveAttempt attempt, CancellationToken cancellation)
    {
        var isSaved = await row.ReadAsync(cancellation).ConfigureAwait(false);
        var isNoted = isSaved && attempt.Note is not null && row.GetBoolean(row.FieldCount - 1);
        // An error may come behind the row, up to the end of the commit.
        while (await row.ReadAsync(cancellation).ConfigureAwait(false) || await row.NextResultAsync(cancellation).ConfigureAwait(false))
        {
        }
        return new SaveAnswer(isSaved, 0, true, isNoted);
    }

    private async Task<SaveAnswer> LookAsync(NpgsqlConnection connection, StoreCommit commit, CancellationToken cancellation)
    {
        await using var command = Query.On(connection, Sql.Look(commit.Fence is not null), key);
        if (commit.Fence is { } fence)
            command.Parameters.With(fence.Lease).With(fence.Token);
        await using var row = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        await row.ReadAsync(cancellation).ConfigureAwait(false);
        return new SaveAnswer(false, row.GetInt64(0), row.GetBoolean(1));
    }

    private async Task<StoreEntry?> LockAndReadLastAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var (take, read) = (new NpgsqlBatchCommand(Statements.LockKey), new NpgsqlBatchCommand(Sql.ReadLast));
        take.Parameters.With(driver.OrderNumberOf(key));
        read.Parameters.With(key);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand("BEGIN"), take, read } };
        await using var row = await batch.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        while (row.FieldCount < 4)
            await row.NextResultAsync(cancellation).ConfigureAwait(false);
        return await row.ReadAsync(cancellation).ConfigureAwait(false) ? PostgreSqlDriver.ToEntry(row, key, 0) : null;
    }

    private async Task<(bool IsDone, SaveAnswer Answer)> FindAsync(NpgsqlConnection connection, StoreCommit commit, SaveAttempt attempt, CancellationToken cancellation)
    {
        var isSaved = await IsThereAsync(connection, key, attempt, cancellation).ConfigureAwait(false);
        return (isSaved, new SaveAnswer(true, 0, true, isSaved && attempt.Note is { } note && await IsThereAsync(connection, commit.Note!.Key, note, cancellation).ConfigureAwait(false)));
    }

    private async Task<bool> IsThereAsync(NpgsqlConnection connection, StoreKey at, SaveAttempt attempt, CancellationToken cancellation)
    {
        await using var command = Query.On(connection, Sql.FindSave, p => p.With(at).With(attempt.Step).With(attempt.Id));
        return (bool)(await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false))!;
    }
}
