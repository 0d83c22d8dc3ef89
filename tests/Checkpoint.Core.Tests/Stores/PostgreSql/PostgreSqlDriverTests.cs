namespace Checkpoint.Tests;

[NeedsPostgres]
[Collection(PostgresServer.Collection)]
public sealed class PostgreSqlDriverTests(PostgresServer server) : StoreDriverTests
{
    private string? _store;

    private protected override StoreDriver Open() => PostgresServer.Open(_store ??= server.NewStore());
}
