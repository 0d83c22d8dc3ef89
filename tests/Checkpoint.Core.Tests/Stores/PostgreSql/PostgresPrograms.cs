using System.Diagnostics;

namespace Checkpoint.Tests;

/// <summary>The programs of a PostgreSQL that is installed on this machine. A server refuses to be run by root, so then they run as another user.</summary>
internal static class PostgresPrograms
{
    private const int Oldest = 15;

    private static readonly Lazy<string?> Why = new(Missed);

    /// <summary>Why there are none; null where there are.</summary>
    public static string? Missing => Why.Value;

    public static string? User => OperatingSystem.IsLinux() && Environment.UserName == "root" ? "postgres" : null;

    public static string Run(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}: {error.GetAwaiter().GetResult()}");
    }

    public static Process Start(string program, params string[] arguments)
    {
        var path = Locate(program)!;
        string[] command = User is null ? [path, .. arguments] : ["runuser", "-u", User, "--", path, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = "/" };
        start.Environment["LC_ALL"] = "C";
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        return Process.Start(start)!;
    }

    private static string? Missed()
    {
        const string None = "and CHECKPOINT_TEST_POSTGRES names none";
        if (OperatingSystem.IsWindows())
            return $"The tests start no PostgreSQL on Windows, {None}.";
        if (new[] { "initdb", "pg_ctl", "postgres", "pg_basebackup", "psql" }.Where(p => Locate(p) is null).ToList() is { Count: > 0 } missing)
            return $"PostgreSQL is not installed ({string.Join(", ", missing)}), {None}.";
        using var process = Process.Start(new ProcessStartInfo(Locate("postgres")!, "--version") { RedirectStandardOutput = true })!;
        var version = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return version.Split(' ').Max(w => int.TryParse(w.Split('.')[0], out var major) ? major : 0) >= Oldest ? null : $"{version.Trim()} is older than {Oldest}, {None}.";
    }

    // Debian keeps all but the clients' programs off the path.
    private static string? Locate(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(f => f.Length > 0)
        .Concat(Directory.Exists("/usr/lib/postgresql") ? Directory.EnumerateDirectories("/usr/lib/postgresql").OrderByDescending(d => d, StringComparer.Ordinal).Select(d => d + "/bin") : [])
        .Select(f => Path.Join(f, program)).FirstOrDefault(File.Exists);
}
