using System.Diagnostics;

namespace Checkpoint.Tests;

/// <summary>The programs of a PostgreSQL that is installed on this machine. A server refuses to be run by root, so then they run as another user.</summary>
internal static class PostgresPrograms
{
    private const int Oldest = 15;

    private static readonly Lazy<(string? Folder, string? Missing)> Found = new(Find);

    /// <summary>Why there are none; null where there are.</summary>
    public static string? Missing => Found.Value.Missing;

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
        var path = program.Contains('/', StringComparison.Ordinal) ? program : Path.Join(Found.Value.Folder, program);
        string[] command = User is null ? [path, .. arguments] : ["runuser", "-u", User, "--", path, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = "/" };
        start.Environment["LC_ALL"] = "C";
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        return Process.Start(start)!;
    }

    private static (string? Folder, string? Missing) Find()
    {
        if (OperatingSystem.IsWindows())
            return (null, "The tests start no PostgreSQL on Windows; name one with CHECKPOINT_TEST_POSTGRES=postgresql://…");
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Concat(Directory.Exists("/usr/lib/postgresql") ? Directory.EnumerateDirectories("/usr/lib/postgresql").OrderByDescending(d => d, StringComparer.Ordinal).Select(d => d + "/bin") : []);
        foreach (var folder in folders.Where(f => f.Length > 0 && new[] { "initdb", "pg_ctl", "postgres", "psql" }.All(p => File.Exists(Path.Join(f, p)) || (p == "psql" && File.Exists("/usr/bin/psql")))))
        {
            using var process = Process.Start(new ProcessStartInfo(Path.Join(folder, "postgres"), "--version") { RedirectStandardOutput = true })!;
            var version = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (version.Split(' ').Select(w => int.TryParse(w.Split('.')[0], out var major) ? major : 0).Max() >= Oldest)
                return (folder, null);
        }
        return (null, $"PostgreSQL {Oldest} or later is not installed (initdb, pg_ctl, postgres and psql), and CHECKPOINT_TEST_POSTGRES names none.");
    }
}
