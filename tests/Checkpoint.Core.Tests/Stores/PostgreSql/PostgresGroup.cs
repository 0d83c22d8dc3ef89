namespace Checkpoint.Tests;

/// <summary>The tests that share a server.</summary>
[CollectionDefinition(PostgresServer.Collection)]
public sealed class PostgresGroup : ICollectionFixture<PostgresServer>;
