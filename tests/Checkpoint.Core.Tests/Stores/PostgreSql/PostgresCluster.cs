using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Checkpoint.Tests;

/// <summary>A PostgreSQL server of the tests' own, in a temporary folder. It flushes to the disk as it does in earnest.</summary>
internal sealed class PostgresCluster : IDisposable
{
    public const string Password = "p@ss/w:rd?&%";

    private const string Prefix = "checkpoint-postgres-";

    private readonly string _data;
    private bool _isGone;

    static PostgresCluster() => RemoveLeftovers();

    private PostgresCluster(string folder, string address)
    {
        (Folder, Address) = (folder, address);
        _data = Path.Join(folder, "data");
        Port = FreePort();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Dispose();
    }

    public string Folder { get; }

    /// <summary>Where it listens.</summary>
    public string Address { get; }

    public int Port { get; }

    /// <summary>Through the socket, where everybody is believed.</summary>
    public string Uri => $"postgresql://postgres@{System.Uri.EscapeDataString(Folder)}:{Port}/postgres";

    /// <summary>Through TCP, where a password is asked for.</summary>
    public string TcpUri => $"postgresql://postgres:{System.Uri.EscapeDataString(Password)}@{Address}:{Port}/postgres";

    /// <summary>Makes and starts a server.</summary>
    public static PostgresCluster Start(string address = "127.0.0.1")
    {
        var cluster = Make(address);
        var password = Path.Join(cluster.Folder, "password");
        File.WriteAllText(password, Password);
        Own(password);
        PostgresPrograms.Run("initdb", "-D", cluster._data, "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "trust", "--pwfile", password, "--no-sync");
        File.WriteAllText(Path.Join(cluster._data, "pg_hba.conf"), "local all all trust\nlocal replication all trust\nhost all all 127.0.0.0/8 scram-sha-256\nhost all all samenet scram-sha-256\n");
        cluster.Start();
        return cluster;
    }

    /// <summary>Makes and starts a standby of this server, which keeps a copy of all that it commits.</summary>
    public PostgresCluster StartStandby(string name, string address = "127.0.0.1")
    {
        var cluster = Make(address);
        PostgresPrograms.Run("pg_basebackup", "-D", cluster._data, "-R", "-X", "stream", "--checkpoint=fast", "-d", $"host={Folder} port={Port} user=postgres application_name={name}");
        cluster.Start();
        return cluster;
    }

    public void Start()
    {
        // What stands here overrides what a standby copied.
        PostgresPrograms.Run("pg_ctl", "-D", _data, "-w", "-t", "60", "-l", Path.Join(Folder, "log"), "-o",
            $"-c port={Port} -c unix_socket_directories={Folder} -c listen_addresses={Address} -c max_connections=200", "start");
    }

    /// <summary>Stops it: fast as an administrator does, immediate as a loss of power does.</summary>
    public void Stop(string mode) => PostgresPrograms.Run("pg_ctl", "-D", _data, "-w", "-m", mode, "stop");

    public void Promote() => PostgresPrograms.Run("pg_ctl", "-D", _data, "-w", "promote");

    /// <summary>Kills the server and all of its processes at once.</summary>
    public void Kill()
    {
        var postmaster = int.Parse(File.ReadLines(Path.Join(_data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        var all = Children(postmaster).Append(postmaster).ToList();
        Run("kill", ["-KILL", .. all.Select(p => p.ToString(CultureInfo.InvariantCulture))]);
    }

    /// <summary>Runs SQL and gives its rows, with | between the columns.</summary>
    public string Sql(string sql) => PostgresServer.Sql($"host={Folder} port={Port} user=postgres dbname=postgres", sql);

    public void Dispose()
    {
        lock (_data)
        {
            if (_isGone)
                return;
            _isGone = true;
        }
        Remove(Folder);
    }

    private static IEnumerable<int> Children(int parent) => Directory.EnumerateDirectories("/proc").Select(d => (Path: d, Pid: int.TryParse(Path.GetFileName(d), out var pid) ? pid : 0))
        .Where(p => p.Pid > 0 && ParentOf(p.Path) == parent).Select(p => p.Pid);

    private static int ParentOf(string process)
    {
        try
        {
            var text = File.ReadAllText(process + "/stat");
            return int.Parse(text[(text.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static PostgresCluster Make(string address)
    {
        // The path of a socket has room for some hundred characters.
        var folder = Path.Join("/tmp", $"{Prefix}{Environment.ProcessId}-{Guid.NewGuid():N}"[..40]);
        Directory.CreateDirectory(folder);
        Own(folder);
        return new PostgresCluster(folder, address);
    }

    private static void Own(string path)
    {
        if (PostgresPrograms.User is { } user)
            Run("chown", user, path);
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    // What a test process left that was killed.
    private static void RemoveLeftovers()
    {
        foreach (var folder in Directory.EnumerateDirectories("/tmp", Prefix + "*"))
        {
            if (int.TryParse(Path.GetFileName(folder)[Prefix.Length..].Split('-')[0], out var owner) && !Directory.Exists($"/proc/{owner}"))
                Remove(folder);
        }
    }

    private static void Remove(string folder)
    {
        try
        {
            PostgresPrograms.Run("pg_ctl", "-D", Path.Join(folder, "data"), "-w", "-m", "immediate", "stop");
        }
        catch (InvalidOperationException)
        {
            // It does not run.
        }
        Directory.Delete(folder, recursive: true);
    }
}
