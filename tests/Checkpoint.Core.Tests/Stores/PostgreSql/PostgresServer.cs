using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Checkpoint.Tests;

/// <summary>The server that the tests share: one that they start, or the one that CHECKPOINT_TEST_POSTGRES names. Each store on it is a schema of its own.</summary>
public sealed class PostgresServer : IDisposable
{
    public const string Collection = "PostgreSQL";

    private readonly Lazy<PostgresCluster> _cluster = new(() => PostgresCluster.Start());
    private readonly List<string> _schemas = [];

    static PostgresServer() => StoreDrivers.Register("postgresql", DriverPath());

    public static string? Given => Environment.GetEnvironmentVariable("CHECKPOINT_TEST_POSTGRES") is { Length: > 0 } uri ? uri : null;

    /// <summary>The server.</summary>
    public string Uri => Given ?? _cluster.Value.Uri;

    /// <summary>The server that is the tests' own.</summary>
    internal PostgresCluster Own => _cluster.Value;

    /// <summary>The driver's assembly, as it was built.</summary>
    public static string DriverPath([CallerFilePath] string here = "")
    {
        for (var at = new DirectoryInfo(File.Exists(here) ? Path.GetDirectoryName(here)! : AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Join(at.FullName, "Checkpoint.sln")))
                return Path.Join(at.FullName, "bin", "stores", "postgresql", "Checkpoint.Stores.PostgreSql.dll");
        }
        throw new InvalidOperationException("the checkout was not found");
    }

    /// <summary>The address of a store that is not there yet.</summary>
    public string NewStore()
    {
        var schema = $"test {Guid.NewGuid():N}";
        lock (_schemas)
            _schemas.Add(schema);
        return WithSchema(Uri, schema);
    }

    public static string WithSchema(string uri, string schema) => $"{uri}{(uri.Contains('?', StringComparison.Ordinal) ? '&' : '?')}schema={System.Uri.EscapeDataString(schema)}";

    internal static StoreDriver Open(string uri) => StoreDrivers.Open("postgresql", uri)!;

    /// <summary>Runs SQL and gives its rows, with | between the columns.</summary>
    public string Sql(string sql) => Sql(Uri, sql);

    public static string Sql(string connection, string sql)
    {
        using var process = Process.Start(new ProcessStartInfo("psql", ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", connection, "-f", "-"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        process.StandardInput.Write(sql);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.TrimEnd('\n') : throw new InvalidOperationException(error.GetAwaiter().GetResult());
    }

    public void Dispose()
    {
        if (Given is not null && _schemas.Count > 0)
            Sql(string.Concat(_schemas.Select(s => $"DROP SCHEMA IF EXISTS \"{s}\" CASCADE;")));
        if (_cluster.IsValueCreated)
            _cluster.Value.Dispose();
    }
}
