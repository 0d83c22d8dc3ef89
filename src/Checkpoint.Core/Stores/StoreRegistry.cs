using System.Buffers;
using System.Collections.Concurrent;

namespace Checkpoint;

/// <summary>Finds the store for a location: a folder path, or a URI by its scheme.</summary>
internal static partial class StoreRegistry
{
    // Far more than a process uses; a loop over generated store paths must not grow for ever.
    private const int MaxOpen = 64;

    // RFC 3986, section 3.1.
    private static readonly SearchValues<char> SchemeCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.");

    private static readonly ConcurrentDictionary<string, CheckpointStore> Open = new(StringComparer.Ordinal);

    // They hold connections, and are few.
    private static readonly ConcurrentDictionary<string, CheckpointStore> Drivers = new(StringComparer.Ordinal);

    /// <summary>Whether a location is a URI. A drive letter is no scheme: <c>C:\data</c> and <c>Temp:/x</c> are paths.</summary>
    public static bool IsUri(string location)
    {
        var end = location.IndexOf("://", StringComparison.Ordinal);
        return end > 1 && char.IsAsciiLetter(location[0]) && !location.AsSpan(0, end).ContainsAnyExcept(SchemeCharacters);
    }

    /// <summary>A location as it may be shown: of a URI without the password that RFC 3986 (section 3.2.1) allows in it, and without values of the query that are named like one.</summary>
    public static string Shown(string location)
    {
        if (!IsUri(location))
            return location;
        var start = location.IndexOf("://", StringComparison.Ordinal) + 3;
        var authority = location.AsSpan(start, location.AsSpan(start).IndexOfAny('/', '?', '#') is >= 0 and var length ? length : location.Length - start);
        var (at, colon) = (authority.LastIndexOf('@'), authority.IndexOf(':'));
        // A password that is not escaped may hold what ends the authority; only digits are a port.
        if (colon >= 0 && at < 0 && location.LastIndexOf('@') is var last && last > start && authority[(colon + 1)..].ContainsAnyExceptInRange('0', '9'))
            at = last - start;
        var shown = colon >= 0 && colon < at ? location.Remove(start + colon, at - colon) : location;
        return SecretParameter().Replace(shown, "");
    }

    /// <summary>The store at a location.</summary>
    /// <param name="location">A full path or a URI.</param>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.StoreUnavailable"/></exception>
    public static CheckpointStore Get(string location)
    {
        if (Open.TryGetValue(location, out var store) || Drivers.TryGetValue(location, out store))
            return store;
        store = Create(location);
        if (store is DriverStore)
        {
            // By the name that its objects show it is found again, with the password that was given last.
            Drivers[store.Location] = store;
            return Drivers.GetOrAdd(location, store);
        }
        if (Open.Count >= MaxOpen)
            Open.Clear();
        // One store for all ways to write its path: what it remembers of its own saves holds for all of them.
        return Open.GetOrAdd(location, Open.GetOrAdd(store.Location, store));
    }

    private static CheckpointStore Create(string location)
    {
        if (!IsUri(location))
            return new FolderStore(Path.GetFullPath(location));
        var scheme = location[..location.IndexOf(':', StringComparison.Ordinal)];
        if (string.Equals(scheme, "file", StringComparison.OrdinalIgnoreCase))
            return new FolderStore(FilePath(location));
        try
        {
            return StoreDrivers.Open(scheme, location) is { } driver ? new DriverStore(driver) : throw CheckpointErrors.UnknownScheme(location, scheme, ["file", .. StoreDrivers.Schemes]);
        }
        catch (StoreFaultException e)
        {
            // What may be secret in the location is known to the driver alone.
            throw CheckpointErrors.FromDriver(e, scheme + "://", "Opening it", scheme);
        }
    }

    [System.Text.RegularExpressions.GeneratedRegex("(?<=[?&])[^=&#]*(password|passwd|pwd|secret|token)[^=&#]*=[^&#]*&?", System.Text.RegularExpressions.RegexOptions.IgnoreCase | System.Text.RegularExpressions.RegexOptions.CultureInvariant)]
    private static partial System.Text.RegularExpressions.Regex SecretParameter();

    // RFC 8089: without a host, or with localhost, a file of this machine. Another host is a share, which only Windows finds by its name.
    private static string FilePath(string location)
    {
        if (!Uri.TryCreate(location, UriKind.Absolute, out var uri) || !uri.IsFile || location.EndsWith("://", StringComparison.Ordinal))
            throw CheckpointErrors.Unusable(location, "it is no file URI");
        if (uri.LocalPath.Contains('\0', StringComparison.Ordinal))
            throw CheckpointErrors.Unusable(location, "no path holds the character 0");
        if (uri.Query.Length > 0 || uri.Fragment.Length > 0)
            throw CheckpointErrors.Unusable(location, "a file URI has neither query nor fragment; write %3F for ? and %23 for #");
        if (OperatingSystem.IsWindows())
            return Path.GetFullPath(uri.LocalPath);
        if (uri.Host.Length > 0 && !uri.IsLoopback)
            throw CheckpointErrors.Unusable(location, $"'{uri.Host}' is another machine; mount its share and name the folder");
        var path = uri.Host.Length == 0 ? uri.LocalPath : Uri.UnescapeDataString(uri.AbsolutePath);
        return Path.IsPathFullyQualified(path) ? Path.GetFullPath(path) : throw CheckpointErrors.Unusable(location, $"'{path}' is a path of Windows");
    }
}
