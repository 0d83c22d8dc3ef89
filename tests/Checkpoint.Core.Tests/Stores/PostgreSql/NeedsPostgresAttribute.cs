namespace Checkpoint.Tests;

/// <summary>The tests need a real PostgreSQL.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsPostgresAttribute : StoreNeedAttribute
{
    public override string? Missing => PostgresServer.Given is null ? PostgresPrograms.Missing : null;
}
