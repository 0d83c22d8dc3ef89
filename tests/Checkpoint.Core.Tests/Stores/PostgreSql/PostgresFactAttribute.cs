namespace Checkpoint.Tests;

/// <summary>A fact about a real PostgreSQL: one that the tests start, or that CHECKPOINT_TEST_POSTGRES names.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresFactAttribute : FactAttribute
{
    private bool _isOwn;
    private bool _isOfModule;

    public PostgresFactAttribute() => Skip = PostgresServer.Given is null ? PostgresPrograms.Missing : null;

    /// <summary>Whether the server is stopped, filled or looked into, so that it must be one of the tests' own.</summary>
    public bool IsOwn
    {
        get => _isOwn;
        set => Skip = (_isOwn = value) ? PostgresPrograms.Missing : Skip;
    }

    /// <summary>Whether it runs the module in processes of its own.</summary>
    public bool IsOfModule
    {
        get => _isOfModule;
        set => Skip = (_isOfModule = value) ? Skip ?? MissingModule() : Skip;
    }

    private static string? MissingModule() =>
        !File.Exists(Path.GetFullPath(Path.Join(PostgresServer.DriverPath(), "../../../Checkpoint.dll"))) ? "The module is not built: pwsh ./build.ps1 -Task Build."
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(f => File.Exists(Path.Join(f, "pwsh"))) ? null : "There is no pwsh on the PATH.";
}
