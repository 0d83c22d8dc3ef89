namespace Checkpoint.Tests;

[Collection(PostgresServer.Collection)]
public sealed class PostgreSqlDriverTests(PostgresServer server) : StoreDriverTests
{
    private string? _store;

    protected override bool CanOpen => true;

    private protected override StoreDriver Open() => PostgresServer.Open(_store ??= server.NewStore());
}
