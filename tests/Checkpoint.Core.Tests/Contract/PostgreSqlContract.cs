namespace Checkpoint.Tests;

[NeedsPostgres]
[Collection(PostgresServer.Collection)]
public sealed class PostgreSqlCheckpointContract(PostgresServer server) : CheckpointContract
{
    private StoreDriver? _driver;

    public override void Dispose()
    {
        _driver?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose();
    }

    private protected override CheckpointStore Open() => new DriverStore(_driver ??= PostgresServer.Open(server.NewStore()));
}

[NeedsPostgres]
[Collection(PostgresServer.Collection)]
public sealed class PostgreSqlLeaseContract(PostgresServer server) : LeaseContract
{
    private StoreDriver? _driver;

    public override void Dispose()
    {
        _driver?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose();
    }

    private protected override CheckpointStore Open(TimeProvider time) => new DriverStore(_driver ??= PostgresServer.Open(server.NewStore()), time);
}
