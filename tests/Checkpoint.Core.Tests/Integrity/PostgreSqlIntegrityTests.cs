namespace Checkpoint.Tests;

[NeedsPostgres]
[Collection(PostgresServer.Collection)]
public sealed class PostgreSqlVerifierTests(PostgresServer server) : DriverVerifierTests
{
    private protected override StoreDriver Open() => PostgresServer.Open(server.NewStore());
}

[NeedsPostgres]
[Collection(PostgresServer.Collection)]
public sealed class PostgreSqlRepairTests(PostgresServer server) : DriverRepairTests
{
    private protected override StoreDriver Open() => PostgresServer.Open(server.NewStore());
}
