using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>
/// Where a store is, as libpq reads a connection URI: <c>postgresql://user:password@host1:port1,host2/database?sslmode=verify-full&amp;schema=checkpoint</c>
/// (PostgreSQL, section 34.1.1.2; RFC 3986). What is not given comes from <c>PGHOST</c>, <c>PGPORT</c>, <c>PGUSER</c> and <c>PGDATABASE</c>, and a password from <c>PGPASSWORD</c>, <c>PGPASSFILE</c> or
/// <c>~/.pgpass</c>.
/// </summary>
internal sealed class Location
{
    private const int DefaultPort = 5432;

    // Of libpq's parameters those that mean something here. What is not among them is refused, lest a sslrootcert be misspelt.
    private static readonly Dictionary<string, Action<NpgsqlConnectionStringBuilder, string>> Parameters = new(StringComparer.Ordinal)
    {
        ["sslmode"] = (to, value) => to.SslMode = value switch
        {
            "disable" => SslMode.Disable,
            "allow" => SslMode.Allow,
            "prefer" => SslMode.Prefer,
            "require" => SslMode.Require,
            "verify-ca" => SslMode.VerifyCA,
            "verify-full" => SslMode.VerifyFull,
            _ => throw new FormatException(),
        },
        ["sslnegotiation"] = (to, value) => to.SslNegotiation = value switch { "postgres" => SslNegotiation.Postgres, "direct" => SslNegotiation.Direct, _ => throw new FormatException() },
        ["sslrootcert"] = (to, value) => to.RootCertificate = value,
        ["sslcert"] = (to, value) => to.SslCertificate = value,
        ["sslkey"] = (to, value) => to.SslKey = value,
        ["sslpassword"] = (to, value) => to.SslPassword = value,
        ["channel_binding"] = (to, value) => to.ChannelBinding = Enum.Parse<ChannelBinding>(value, ignoreCase: true),
        ["passfile"] = (to, value) => to.Passfile = value,
        ["krbsrvname"] = (to, value) => to.KerberosServiceName = value,
        ["connect_timeout"] = (to, value) => to.Timeout = Math.Clamp(int.Parse(value, CultureInfo.InvariantCulture), 2, 60),
        ["options"] = (to, value) => to.Options = value,
    };

    private static readonly Dictionary<string, TargetSessionAttributes> Targets = new(StringComparer.Ordinal)
    {
        ["any"] = TargetSessionAttributes.Any,
        ["read-write"] = TargetSessionAttributes.ReadWrite,
        ["read-only"] = TargetSessionAttributes.ReadOnly,
        ["primary"] = TargetSessionAttributes.Primary,
        ["standby"] = TargetSessionAttributes.Standby,
        ["prefer-standby"] = TargetSessionAttributes.PreferStandby,
    };

    // As libpq, whose default is where a Unix system keeps the socket.
    private static readonly string[] SocketFolders = ["/var/run/postgresql", "/tmp"];

    private static readonly string[] Secrets = ["password", "sslpassword"];

    /// <param name="uri">The URI.</param>
    /// <exception cref="StoreFaultException">It is none, or has what is not known. The message has nothing of it that may be secret.</exception>
    public Location(string uri)
    {
        var given = Parse(uri);
        Connection = new NpgsqlConnectionStringBuilder
        {
            Username = given.GetValueOrDefault("user") ?? Environment.GetEnvironmentVariable("PGUSER") ?? Environment.UserName,
            Password = given.GetValueOrDefault("password"),
            Timeout = 5,
        };
        Connection.Database = given.GetValueOrDefault("dbname") ?? Environment.GetEnvironmentVariable("PGDATABASE") ?? Connection.Username;
        var hosts = Hosts(given);
        // The port of a socket stands apart from it in Npgsql, once for all.
        Connection.Host = string.Join(',', hosts.Select(h => IsSocket(h.Host) ? h.Host : h.Host.Contains(':', StringComparison.Ordinal) ? $"[{h.Host}]:{h.Port}" : $"{h.Host}:{h.Port}"));
        Connection.Port = hosts.Where(h => IsSocket(h.Host)).Select(h => h.Port).Distinct().ToList() switch
        {
            [] => DefaultPort,
            [var port] => port,
            _ => throw Bad("its sockets have several ports"),
        };
        HasSeveralHosts = hosts.Count > 1;
        HasSocket = hosts.Any(h => IsSocket(h.Host));
        Schema = given.GetValueOrDefault("schema") is { Length: > 0 } schema ? schema : "checkpoint";
        // More than PostgreSQL keeps of a name would be cut by it.
        if (System.Text.Encoding.UTF8.GetByteCount(Schema) > 63 || Schema.Contains('\0', StringComparison.Ordinal))
            throw Bad("its schema's name is longer than the 63 bytes that PostgreSQL keeps");
        ReadFrom = given.GetValueOrDefault("target_session_attrs") is { } target ? Targets.TryGetValue(target, out var attributes) ? attributes : throw Bad("the value of 'target_session_attrs' is unknown") : null;
        foreach (var (name, value) in given.Where(p => Parameters.ContainsKey(p.Key)))
            Apply(name, value);
        Name = Write(hosts, given);
    }

    /// <summary>Where to connect, with the password.</summary>
    public NpgsqlConnectionStringBuilder Connection { get; }

    /// <summary>Whether there is a choice of hosts.</summary>
    public bool HasSeveralHosts { get; }

    /// <summary>Whether one of them is a socket of this machine.</summary>
    public bool HasSocket { get; }

    /// <summary>The schema that has the store.</summary>
    public string Schema { get; }

    /// <summary>Which of the hosts is read from; null for the primary, which knows of every save.</summary>
    public TargetSessionAttributes? ReadFrom { get; }

    /// <summary>The URI without its secrets, and the same for all ways to write it.</summary>
    public string Name { get; }

    public override string ToString() => Name;

    private static Dictionary<string, string> Parse(string uri)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        var rest = uri[(uri.IndexOf("://", StringComparison.Ordinal) + 3)..];
        if (rest.Contains('#', StringComparison.Ordinal))
            throw Bad("it has a '#'; write %23");
        if (rest.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query)
        {
            foreach (var parameter in rest[(query + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
            {
                var at = parameter.IndexOf('=', StringComparison.Ordinal);
                if (at < 0)
                    throw Bad("one of its parameters has no value");
                Add(given, Unescape(parameter[..at]), Unescape(parameter[(at + 1)..]));
            }
            rest = rest[..query];
        }
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        // A password may hold an @ that somebody forgot to escape, a host never.
        var authority = slash < 0 ? rest : rest[..slash];
        if (authority.LastIndexOf('@') is >= 0 and var end)
        {
            var user = authority[..end].Split(':', 2);
            AddFirst(given, "user", Unescape(user[0]));
            if (user.Length > 1)
                AddFirst(given, "password", Unescape(user[1]));
            authority = authority[(end + 1)..];
        }
        // The commas and colons between hosts are syntax, those within one are escaped.
        var hosts = authority.Split(',').Select(Split).ToList();
        if (authority.Length > 0)
        {
            AddFirst(given, "host", string.Join(',', hosts.Select(h => Unescape(h.Host))));
            AddFirst(given, "port", string.Join(',', hosts.Select(h => h.Port)));
        }
        // Then what was read as hosts and database is the rest of a password.
        if (slash >= 0 && rest.IndexOf('@', slash) >= 0)
            throw Bad("it has an '@' behind the hosts; in a password write %40 for @, %2F for / and %3A for :");
        if (slash >= 0)
            AddFirst(given, "dbname", Unescape(rest[(slash + 1)..]));
        return given;
    }

    private static void Add(Dictionary<string, string> given, string name, string value)
    {
        if (name == "ssl" && value == "true")
            (name, value) = ("sslmode", "require");
        if (name is not ("host" or "hostaddr" or "port" or "dbname" or "user" or "password" or "schema" or "target_session_attrs") && !Parameters.ContainsKey(name))
            // A name is no secret, unless a password with & or = in it was not escaped.
            throw Bad(name.Length <= 30 && name.All(c => char.IsAsciiLetter(c) || c == '_') ? $"the parameter '{name}' is unknown" : "one of its parameters is unknown");
        given[name] = value;
    }

    // What the query says counts, as with libpq.
    private static void AddFirst(Dictionary<string, string> given, string name, string value)
    {
        if (value.Length > 0)
            given.TryAdd(name, value);
    }

    private static (string Host, string Port) Split(string host)
    {
        var bracket = host.StartsWith('[') ? host.IndexOf(']', StringComparison.Ordinal) : 0;
        if (bracket < 0)
            throw Bad("the address of a host begins with '[' and has no ']'");
        var colon = host.IndexOf(':', bracket);
        var name = colon < 0 ? host : host[..colon];
        return (bracket > 0 ? name[1..bracket] : name, colon < 0 ? "" : host[(colon + 1)..]);
    }

    private static List<(string Host, int Port)> Hosts(Dictionary<string, string> given)
    {
        var names = (given.GetValueOrDefault("host") ?? given.GetValueOrDefault("hostaddr") ?? Environment.GetEnvironmentVariable("PGHOST") ?? "").Split(',');
        var ports = (given.GetValueOrDefault("port") ?? Environment.GetEnvironmentVariable("PGPORT") ?? "").Split(',');
        if (ports.Length != 1 && ports.Length != names.Length)
            throw Bad("it has neither one port for all hosts nor one for each");
        return [.. names.Select((name, i) => (name.Length > 0 ? name : DefaultHost(), PortOf(ports[ports.Length == 1 ? 0 : i])))];
    }

    private static string DefaultHost() => SocketFolders.FirstOrDefault(folder => File.Exists($"{folder}/.s.PGSQL.{DefaultPort}")) ?? "localhost";

    private static bool IsSocket(string host) => host.StartsWith('/') || host.StartsWith('@');

    private static int PortOf(string text) => text.Length == 0 ? DefaultPort
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= IPEndPoint.MaxPort ? port : throw Bad("one of its ports is none");

    private static string Unescape(string text)
    {
        for (var at = text.IndexOf('%', StringComparison.Ordinal); at >= 0; at = text.IndexOf('%', at + 1))
        {
            if (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]))
                throw Bad("it has a '%' without two hex digits after it; write %25");
        }
        return Uri.UnescapeDataString(text);
    }

    private static string Write(List<(string Host, int Port)> hosts, Dictionary<string, string> given)
    {
        static string Authority((string Host, int Port) host)
        {
            var name = IPAddress.TryParse(host.Host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{host.Host}]" : Uri.EscapeDataString(host.Host);
            return host.Port == DefaultPort ? name : $"{name}:{host.Port}";
        }

        var parameters = given.Where(p => !Secrets.Contains(p.Key) && p.Key is not ("host" or "hostaddr" or "port" or "dbname" or "user")).OrderBy(p => p.Key, StringComparer.Ordinal)
            .Select(p => $"{p.Key}={Uri.EscapeDataString(p.Value)}").ToList();
        var user = given.TryGetValue("user", out var name) ? Uri.EscapeDataString(name) + "@" : "";
        var database = given.TryGetValue("dbname", out var db) ? "/" + Uri.EscapeDataString(db) : "";
        return $"postgresql://{user}{string.Join(',', hosts.Select(Authority))}{database}{(parameters.Count > 0 ? "?" : "")}{string.Join('&', parameters)}";
    }

    private static StoreFaultException Bad(string why) => new(StoreFault.Unavailable, $"the address is wrong: {why}. It is written as postgresql://user@host1,host2/database?sslmode=verify-full");

    private void Apply(string name, string value)
    {
        try
        {
            Parameters[name](Connection, value);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
        {
            throw Bad($"the value of '{name}' is not one that it can have");
        }
    }
}
