namespace Checkpoint.Tests;

/// <summary>A fact about a real PostgreSQL: one that the tests start, or that CHECKPOINT_TEST_POSTGRES names.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresFactAttribute : FactAttribute
{
    private bool _isOwn;

    public PostgresFactAttribute() => Skip = PostgresServer.Given is null ? PostgresPrograms.Missing : null;

    /// <summary>Whether the server is stopped, filled or looked into, so that it must be one of the tests' own.</summary>
    public bool IsOwn
    {
        get => _isOwn;
        set => Skip = (_isOwn = value) ? PostgresPrograms.Missing : Skip;
    }
}
