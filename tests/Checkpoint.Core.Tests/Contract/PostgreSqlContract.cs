namespace Checkpoint.Tests;

[NeedsPostgres]
[Collection(PostgresServer.Collection)]
public sealed class PostgreSqlCheckpointContract(PostgresServer server) : CheckpointContract
{
    private readonly Lazy<StoreDriver> _driver = new(() => PostgresServer.Open(server.NewStore()));

    public override void Dispose()
    {
        if (_driver.IsValueCreated)
            _driver.Value.DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose();
    }

    private protected override CheckpointStore Open() => new DriverStore(_driver.Value);
}

[NeedsPostgres]
[Collection(PostgresServer.Collection)]
public sealed class PostgreSqlLeaseContract(PostgresServer server) : LeaseContract
{
    private readonly Lazy<StoreDriver> _driver = new(() => PostgresServer.Open(server.NewStore()));

    public override void Dispose()
    {
        if (_driver.IsValueCreated)
            _driver.Value.DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose();
    }

    private protected override CheckpointStore Open(TimeProvider time) => new DriverStore(_driver.Value, time);
}

[NeedsPostgres]
[Collection(PostgresServer.Collection)]
public sealed class PostgreSqlItemContract(PostgresServer server) : ItemContract
{
    private readonly Lazy<StoreDriver> _driver = new(() => PostgresServer.Open(server.NewStore()));

    public override void Dispose()
    {
        if (_driver.IsValueCreated)
            _driver.Value.DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose();
    }

    private protected override CheckpointStore Open() => new DriverStore(_driver.Value);
}
