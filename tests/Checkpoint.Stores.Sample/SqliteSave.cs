using Microsoft.Data.Sqlite;

namespace Checkpoint.Stores.Sample;

/// <summary>A save: the payload waits in a temporary file until all is committed in one transaction.</summary>
internal sealed class SqliteSave(SqliteDriver driver, StoreKey key) : StoreSave
{
    private const int ChunkSize = 1 << 20;

    private string? _path;
    private string? _name;

    public override Stream OpenPayload(string name)
    {
        (_name, _path) = (name, Path.GetTempFileName());
        return new FileStream(_path, FileMode.Create, FileAccess.Write, FileShare.None, ChunkSize);
    }

    public override ValueTask<long?> CommitAsync(StoreCommit commit, CancellationToken cancellation) => driver.WriteAsync<long?>(db =>
    {
        if (commit.Fence is { } fence && !SqliteDriver.IsHeld(db, fence))
            throw new StoreFaultException(StoreFault.LeaseLost, "its lease is not held any more");
        var last = commit.Step is null || commit.NeedsLast ? SqliteDriver.Last(db, key) : null;
        var step = commit.StepAfter(last?.Step);
        (string, object?)[] parameters = [.. SqliteDriver.Parameters(key), ("$step", step)];
        if (commit.Overwrite)
        {
            SqliteDriver.Run(db, "DELETE FROM chunk WHERE payload = (SELECT payload FROM entry WHERE kind = $kind AND pipeline = $pipeline AND run = $run AND name = $name AND step = $step)", parameters);
            SqliteDriver.Run(db, "DELETE FROM entry WHERE kind = $kind AND pipeline = $pipeline AND run = $run AND name = $name AND step = $step", parameters);
        }
        var (record, revision) = commit.MakeRecord(step, last);
        var isNew = SqliteDriver.Run(db, "INSERT INTO entry VALUES ($kind, $pipeline, $run, $name, $step, $record, $revision, $payload, $length) ON CONFLICT DO NOTHING",
            [.. parameters, ("$record", record.ToArray()), ("$revision", revision), ("$payload", _name), ("$length", _path is null ? null : new FileInfo(_path).Length)]) == 1;
        if (!isNew)
            return null;
        WriteChunks(db);
        return step;
    }, cancellation);

    public override ValueTask DisposeAsync()
    {
        if (_path is not null)
            File.Delete(_path);
        return default;
    }

    private void WriteChunks(SqliteConnection db)
    {
        if (_path is null)
            return;
        using var payload = File.OpenRead(_path);
        var chunk = new byte[ChunkSize];
        for (int number = 0, read; (read = payload.ReadAtLeast(chunk, ChunkSize, throwOnEndOfStream: false)) > 0; number++)
            SqliteDriver.Run(db, "INSERT INTO chunk VALUES ($payload, $number, $bytes)", [("$payload", _name), ("$number", number), ("$bytes", chunk[..read])]);
    }
}
