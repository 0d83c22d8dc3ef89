using System.Collections.Concurrent;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>All SQL of the driver. What is not here is not asked; a test asks the server for the plan of each.</summary>
/// <remarks>
/// <para>
/// <c>entry</c> has one row for each step of each key, in one index that serves all: it leads from kind, pipeline, run and name to the highest step first, so that the next key of a listing is one step
/// down the index, however many steps lie between. <c>in_run</c> keeps what belongs to a run apart from what does not. An empty text stands for none: no name is empty.
/// </para>
/// <para>
/// <c>done</c> tells those whose answer was lost what came of it, where the entry itself no longer can: the ids of saves that were replaced or removed within the hour after they were made, and of
/// removals, with their result.
/// </para>
/// </remarks>
/// <param name="schema">The schema, quoted where it must be.</param>
internal sealed class Statements(string schema)
{
    /// <summary>The newest version of the schema that this driver knows.</summary>
    public const int Version = 1;

    private static readonly string IsKey = IsKeyAt(1);

    private const string Columns = "step, record, revision, length";

    // For so long somebody may ask what came of a save.
    private const string Recently = "now() - interval '1 hour'";

    private readonly string _schema = schema;
    private readonly ConcurrentDictionary<SaveShape, string> _saves = new();
    private readonly ConcurrentDictionary<ListShape, string> _lists = new();

    // What the schema needs to be of each version, from the one before.
    private string[] Upgrades =>
    [
        $"""
        CREATE TABLE {_schema}.version(version integer NOT NULL);
        INSERT INTO {_schema}.version VALUES (1);
        CREATE TABLE {_schema}.entry(
            kind text COLLATE "C" NOT NULL, pipeline text COLLATE "C" NOT NULL, run text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL,
            in_run boolean GENERATED ALWAYS AS (run <> '') STORED NOT NULL, step bigint NOT NULL, record bytea NOT NULL, revision text NOT NULL,
            payload uuid, length bigint, save uuid NOT NULL, saved_at timestamptz NOT NULL DEFAULT now());
        CREATE UNIQUE INDEX entry_key ON {_schema}.entry(kind, in_run, pipeline, run, name, step DESC);
        ALTER TABLE {_schema}.entry REPLICA IDENTITY USING INDEX entry_key;
        CREATE TABLE {_schema}.chunk(payload uuid NOT NULL, number bigint NOT NULL, bytes bytea NOT NULL, PRIMARY KEY (payload, number));
        ALTER TABLE {_schema}.chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;
        CREATE TABLE {_schema}.lease(
            kind text COLLATE "C" NOT NULL, pipeline text COLLATE "C" NOT NULL, run text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL,
            token bigint NOT NULL, holder text NOT NULL, taken_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, taking uuid NOT NULL, PRIMARY KEY (kind, pipeline, run, name));
        CREATE TABLE {_schema}.done(id uuid PRIMARY KEY, result bigint NOT NULL, at timestamptz NOT NULL DEFAULT now());
        CREATE INDEX done_at ON {_schema}.done(at);
        """,
    ];

    // Whoever makes the store waits for whoever else does; the number is ours in the whole database.
    public static string LockSchema { get; } = "SELECT pg_advisory_xact_lock(7235419823467001)";

    /// <summary>What a session must be like, whatever the defaults of the server, the database and the user: at least the standby's promise, and the warning where it was not kept; and statements that see what was committed before them.</summary>
    public string Begin { get; } = $"""
        SELECT set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('on', 'remote_apply') THEN current_setting('synchronous_commit') ELSE 'on' END, false),
            set_config('default_transaction_isolation', 'read committed', false), set_config('idle_in_transaction_session_timeout', '30s', false), set_config('jit', 'off', false),
            to_regclass({Literal(schema + ".version")}) IS NOT NULL, set_config('client_min_messages', 'warning', false)
        """;

    public string FindVersion { get; } = $"SELECT version FROM {schema}.version";

    public string FindSchema { get; } = $"SELECT to_regnamespace({Literal(schema)}) IS NOT NULL, to_regclass({Literal(schema + ".version")}) IS NOT NULL, getdatabaseencoding() IN ('UTF8', 'SQL_ASCII')";

    public string CreateSchema { get; } = $"CREATE SCHEMA {schema}";

    /// <summary>The statements that are still to be run on a schema of a version.</summary>
    public IEnumerable<string> UpgradesFrom(int version) => Upgrades.Skip(version).Select((sql, i) => version + i == 0 ? sql : $"{sql}; UPDATE {_schema}.version SET version = {version + i + 1}");

    public string ReadLast { get; } = $"SELECT {Columns} FROM {schema}.entry WHERE {IsKey} ORDER BY step DESC LIMIT 1";

    public string ReadStep { get; } = $"SELECT {Columns} FROM {schema}.entry WHERE {IsKey} AND step = $5";

    public string ReadAbove { get; } = $"SELECT {Columns} FROM {schema}.entry WHERE {IsKey} AND step > $5 ORDER BY step LIMIT $6";

    public string ListSteps { get; } = $"SELECT step FROM {schema}.entry WHERE {IsKey} ORDER BY step DESC";

    public string FindPayload { get; } = $"SELECT payload, length FROM {schema}.entry WHERE {IsKey} AND step = $5 AND payload IS NOT NULL";

    public string ReadChunk { get; } = $"SELECT bytes FROM {schema}.chunk WHERE payload = $1 AND number = $2";

    public string CopyChunks { get; } = $"COPY {schema}.chunk(payload, number, bytes) FROM STDIN (FORMAT BINARY)";

    /// <summary>One writer after the other under a key; the number is the key's.</summary>
    public static string LockKey { get; } = "SELECT pg_advisory_xact_lock($1)";

    public string Replace { get; } = $"""
        WITH changed AS (UPDATE {schema}.entry SET record = $6, revision = $7 WHERE {IsKey} AND step = $5 AND revision = $8 RETURNING 1)
        SELECT count(*), {Tell("$9")} FROM changed
        """;

    public string FindRevision { get; } = $"SELECT revision FROM {schema}.entry WHERE {IsKey} AND step = $5";

    /// <summary>Whether a save is there, by its id: as an entry, or as one that was and was replaced or removed since.</summary>
    public string FindSave { get; } = $"SELECT EXISTS (SELECT FROM {schema}.entry WHERE {IsKey} AND step = $5 AND save = $6) OR EXISTS (SELECT FROM {schema}.done WHERE id = $6)";

    public string FindDone { get; } = $"SELECT result FROM {schema}.done WHERE id = $1";

    /// <summary>A row for its commit's sake, which ends when the standby has all that was committed before.</summary>
    public string Confirm { get; } = $"INSERT INTO {schema}.done(id, result) VALUES ($1, 0)";

    /// <summary>Ends what a lost connection may still be doing. Its application name is known to this process alone, so no other session is meant, also where the number was given anew.</summary>
    public static string EndSession { get; } = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND application_name = $2";

    public string Forget { get; } = $"DELETE FROM {schema}.done WHERE id = ANY(ARRAY(SELECT id FROM {schema}.done WHERE at < {Recently} ORDER BY at LIMIT 10000 FOR UPDATE SKIP LOCKED))";

    /// <summary>Takes the lease, or finds the one that this same attempt took before its answer was lost.</summary>
    public string TakeLease { get; } = $"""
        INSERT INTO {schema}.lease AS l VALUES ($1, $2, $3, $4, 1, $5, clock_timestamp(), clock_timestamp() + $6, $7)
        ON CONFLICT (kind, pipeline, run, name) DO UPDATE SET token = CASE WHEN l.taking = $7 THEN l.token ELSE l.token + 1 END, holder = $5, taken_at = clock_timestamp(),
            expires_at = clock_timestamp() + $6, taking = $7
            WHERE l.expires_at <= clock_timestamp() OR l.taking = $7
        RETURNING token, holder, taken_at, expires_at - clock_timestamp()
        """;

    public string FindLease { get; } = $"SELECT token, holder, taken_at, expires_at - clock_timestamp() FROM {schema}.lease WHERE {IsLease(1)} AND expires_at > clock_timestamp()";

    public string RenewLease { get; } = $"UPDATE {schema}.lease SET expires_at = clock_timestamp() + $6 WHERE {IsLease(1)} AND token = $5 AND expires_at > clock_timestamp()";

    public string ReleaseLease { get; } = $"""
        WITH released AS (UPDATE {schema}.lease SET expires_at = '-infinity' WHERE {IsLease(1)} AND token = $5 AND expires_at > clock_timestamp() RETURNING 1)
        SELECT {Tell("$6")} FROM released
        """;

    public static string Listen { get; } = "LISTEN checkpoint";

    /// <summary>Says that this session wants to be told of changes under a key: it shares a lock on the key's number, at which a save sees it. Waits for those that are just being committed.</summary>
    public static string Watch { get; } = "SELECT pg_advisory_lock_shared($1)";

    public static string Unwatch { get; } = "SELECT pg_advisory_unlock_shared($1)";

    /// <summary>Locks all steps of a key or, where <paramref name="some"/>, those that are given. To be sent before what replaces or removes them: a statement sees no chunks that were committed while it waited for a row.</summary>
    public string LockSteps(bool some) => $"SELECT count(*) FROM (SELECT FROM {_schema}.entry WHERE {IsKey}{(some ? " AND step = ANY($5)" : "")} ORDER BY step FOR UPDATE) AS locked";

    /// <summary>Removes all steps of a key or, where <paramref name="some"/>, those that are given.</summary>
    public string Remove(bool some) => $"""
        WITH removed AS (DELETE FROM {_schema}.entry {(some ? "USING unnest($7::bigint[], $8::text[]) AS s(step_, revision_)" : "")} WHERE {IsKey}{(some ? " AND step = step_ AND (revision_ IS NULL OR revision = revision_)" : "")}
                RETURNING step, payload, save, saved_at),
            freed AS (DELETE FROM {_schema}.chunk WHERE payload = ANY(ARRAY(SELECT payload FROM removed WHERE payload IS NOT NULL))),
            logged AS (INSERT INTO {_schema}.done(id, result) SELECT save, step FROM removed WHERE saved_at > {Recently} ON CONFLICT DO NOTHING),
            counted AS (INSERT INTO {_schema}.done(id, result) SELECT $5, count(*) FROM removed HAVING count(*) > 0)
        SELECT count(*), {Tell("$6")} FROM removed
        """;

    /// <summary>Gives a row where a lease is held, and keeps it so until the transaction ends: it can be neither taken nor renewed before.</summary>
    public string HoldLease { get; } = $"SELECT FROM {schema}.lease WHERE {IsLease(1)} AND token = $5 AND expires_at > clock_timestamp() FOR SHARE";


    /// <summary>Saves in one statement: nothing of it is there unless all is. Gives a row where it was saved, and none where not.</summary>
    /// <remarks>
    /// The next step is guessed; it is saved where it is one above the highest that the statement sees and, at the unique index, nobody was faster. No lock is needed for that: whoever is beaten looks for
    /// the highest step, and tries again with another record. What is appended along with it is so where it still follows; in the last column stands whether it was.
    /// </remarks>
    public string Save(SaveShape shape) => _saves.GetOrAdd(shape, MakeSave);

    /// <summary>Why something was not saved: the highest step, and whether the lease is held.</summary>
    public string Look(bool isFenced) =>
        $"SELECT coalesce((SELECT step FROM {_schema}.entry WHERE {IsKey} ORDER BY step DESC LIMIT 1), 0), {(isFenced ? $"EXISTS (SELECT FROM {_schema}.lease WHERE {IsLease(5)} AND token = $9 AND expires_at > clock_timestamp())" : "true")}";

    /// <summary>A page of a listing: from key to key, each by one step down the index.</summary>
    public string List(ListShape shape) => _lists.GetOrAdd(shape, MakeList);

    /// <summary>Everything that is asked while a store is used, by name.</summary>
    public IEnumerable<(string Name, string Sql)> All()
    {
        foreach (var property in typeof(Statements).GetProperties().Where(p => p.PropertyType == typeof(string) && p.Name is not (nameof(CreateSchema) or nameof(CopyChunks) or nameof(Listen))))
            yield return (property.Name, (string)property.GetValue(this)!);
        yield return ("Look free", Look(false));
        yield return ("Look fenced", Look(true));
        foreach (var some in new[] { false, true })
        {
            yield return ($"LockSteps {(some ? "some" : "all")}", LockSteps(some));
            yield return ($"Remove {(some ? "some" : "all")}", Remove(some));
        }
        foreach (var shape in SaveShape.All)
            yield return ($"Save {shape}", Save(shape));
        foreach (var shape in ListShape.All)
            yield return ($"List {shape}", List(shape));
    }

    private string MakeSave(SaveShape shape)
    {
        var parts = new List<string>();
        var conditions = new List<string>();
        if (shape.IsFenced)
        {
            // Nobody else is given the lease before this transaction has ended.
            parts.Add($"fence AS MATERIALIZED (SELECT FROM {_schema}.lease WHERE {IsLease(shape.FenceAt)} AND token = ${shape.FenceAt + 4} AND expires_at > clock_timestamp() FOR SHARE)");
            conditions.Add("EXISTS (SELECT FROM fence)");
        }
        if (shape.Step == StepRule.Next)
            conditions.Add(shape.Follows ? IsLast(1, "$5", $"${SaveShape.FollowsAt}") : $"coalesce((SELECT step FROM {_schema}.entry WHERE {IsKey} ORDER BY step DESC LIMIT 1), 0) = $5 - 1");
        if (shape.Step == StepRule.Overwrite)
        {
            var held = shape.IsFenced ? " AND EXISTS (SELECT FROM fence)" : "";
            // Locked, so that it is that which is replaced whose payload is freed.
            parts.Add($"old AS MATERIALIZED (SELECT payload, save, saved_at FROM {_schema}.entry WHERE {IsKey} AND step = $5{held} FOR UPDATE)");
            parts.Add($"changed AS (UPDATE {_schema}.entry AS e SET record = $6, revision = $7, payload = $8, length = $9, save = $10, saved_at = now() FROM old WHERE {IsKey} AND step = $5 RETURNING 1)");
            parts.Add($"freed AS (DELETE FROM {_schema}.chunk WHERE payload = ANY(ARRAY(SELECT payload FROM old WHERE payload IS NOT NULL)))");
            parts.Add($"logged AS (INSERT INTO {_schema}.done(id, result) SELECT save, $5 FROM old WHERE saved_at > {Recently} ON CONFLICT DO NOTHING)");
            conditions.Add("NOT EXISTS (SELECT FROM old)");
        }
        var tail = $"{Tell("$11")}{(shape.IsDurable ? "" : ", set_config('synchronous_commit', 'off', true)")}";
        var insert = $"""
            INSERT INTO {_schema}.entry(kind, pipeline, run, name, step, record, revision, payload, length, save) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
                {(conditions.Count > 0 ? "WHERE " : "")}{string.Join(" AND ", conditions)} ON CONFLICT DO NOTHING RETURNING
            """;
        if (shape is { Step: not StepRule.Overwrite, HasChunks: false, HasNote: false })
            return $"{(parts.Count > 0 ? "WITH " : "")}{string.Join(", ", parts)} {insert} {tail}";
        parts.Add($"added AS ({insert} 1)");
        parts.Add($"saved AS (SELECT FROM added{(shape.Step == StepRule.Overwrite ? " UNION ALL SELECT FROM changed" : "")})");
        if (shape.HasChunks)
            parts.Add($"stored AS (INSERT INTO {_schema}.chunk(payload, number, bytes) SELECT $8, number - 1, bytes FROM saved, unnest(${shape.ChunksAt}::bytea[]) WITH ORDINALITY AS c(bytes, number))");
        if (shape.HasNote)
        {
            string At(int index) => $"${shape.NoteAt + index}";
            parts.Add($"""
                noted AS (INSERT INTO {_schema}.entry(kind, pipeline, run, name, step, record, revision, save) SELECT {string.Join(", ", Enumerable.Range(0, 8).Select(At))} FROM saved
                    WHERE {IsLast(shape.NoteAt, At(4), At(8))} ON CONFLICT DO NOTHING RETURNING 1)
                """);
        }
        return $"""
            WITH {string.Join(",\n    ", parts)}
            SELECT {tail}{(shape.HasNote ? ", EXISTS (SELECT FROM noted)" : "")} FROM saved
            """;
    }

    // The entry is meant by its revision, and none by an empty one.
    private string IsLast(int key, string step, string revision) =>
        $"coalesce((SELECT step = {step} - 1 AND revision = {revision} FROM {_schema}.entry WHERE {IsKeyAt(key)} ORDER BY step DESC LIMIT 1), {revision} = '')";

    private string MakeList(ListShape shape)
    {
        var free = new List<string>();
        var fixedTo = new List<string> { "kind = $1", "in_run = $2" };
        foreach (var (column, parameter, isFixed) in new[] { ("pipeline", "$3", shape.HasPipeline), ("run", "$4", shape.HasRun), ("name", "$5", shape.HasName) })
        {
            if (isFixed)
                fixedTo.Add($"{column} = {parameter}");
            else
                free.Add(column);
        }
        var from = $"SELECT pipeline, run, name, {Columns} FROM {_schema}.entry WHERE {string.Join(" AND ", fixedTo)}";
        const string Order = "ORDER BY pipeline, run, name, entry.step DESC LIMIT 1";
        string After(Func<string, string> of) => $"AND ({string.Join(", ", free)}) > ({string.Join(", ", free.Select(of))})";
        var first = $"{from} {(shape.IsFirst || free.Count == 0 ? "" : After(c => c switch { "pipeline" => "$6", "run" => "$7", _ => "$8" }))} {Order}";
        return free.Count == 0 ? first : $"""
            WITH RECURSIVE key AS (({first}) UNION ALL SELECT n.* FROM key CROSS JOIN LATERAL ({from} {After(c => $"key.{c}")} {Order}) AS n)
            SELECT * FROM key LIMIT $9
            """;
    }

    private static string IsKeyAt(int first) => $"kind = ${first} AND in_run = (${first + 2} <> '') AND pipeline = ${first + 1} AND run = ${first + 2} AND name = ${first + 3}";

    private static string IsLease(int first) => $"kind = ${first} AND pipeline = ${first + 1} AND run = ${first + 2} AND name = ${first + 3}";

    // A notification makes every commit that has one wait for the others: so only where somebody waits under this key, which holds a share of the lock.
    private static string Tell(string number) => $"(SELECT pg_notify('checkpoint', {number}::text) WHERE NOT pg_try_advisory_xact_lock({number}))";

    /// <summary>A name as SQL has it.</summary>
    public static string Quote(string name) => '"' + name.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
