namespace Checkpoint.Tests;

[NeedsPostgres]
[Collection(PostgresServer.Collection)]
public sealed class PostgreSqlCheckpointContract(PostgresServer server) : CheckpointContract
{
    private readonly PostgresStore _store = new(server);

    public override void Dispose()
    {
        _store.Dispose();
        base.Dispose();
    }

    private protected override CheckpointStore Open() => new DriverStore(_store.Driver);
}

[NeedsPostgres]
[Collection(PostgresServer.Collection)]
public sealed class PostgreSqlLeaseContract(PostgresServer server) : LeaseContract
{
    private readonly PostgresStore _store = new(server);

    public override void Dispose()
    {
        _store.Dispose();
        base.Dispose();
    }

    private protected override CheckpointStore Open(TimeProvider time) => new DriverStore(_store.Driver, time);
}

[NeedsPostgres]
[Collection(PostgresServer.Collection)]
public sealed class PostgreSqlItemContract(PostgresServer server) : ItemContract
{
    private readonly PostgresStore _store = new(server);

    public override void Dispose()
    {
        _store.Dispose();
        base.Dispose();
    }

    private protected override CheckpointStore Open() => new DriverStore(_store.Driver);
}

/// <summary>A store of its own on the server of the tests, made when it is first asked for.</summary>
internal sealed class PostgresStore(PostgresServer server) : IDisposable
{
    private readonly Lazy<StoreDriver> _driver = new(() => PostgresServer.Open(server.NewStore()));

    public StoreDriver Driver => _driver.Value;

    public void Dispose()
    {
        if (_driver.IsValueCreated)
            _driver.Value.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
