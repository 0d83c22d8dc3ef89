using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.ExceptionServices;

namespace Checkpoint;

/// <summary>The kinds of stores that are known by the scheme of their URI. <c>[Checkpoint.StoreDrivers]::Register('scheme', "$PSScriptRoot/My.Driver.dll")</c> adds one.</summary>
public static class StoreDrivers
{
    // Beside this assembly: a folder for each driver, with what it needs.
    private static readonly string Own = Path.Join(Path.GetDirectoryName(typeof(StoreDrivers).Assembly.Location), "stores");

    private static readonly ConcurrentDictionary<string, Lazy<Type>> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["postgresql"] = Of(Path.Join(Own, "postgresql", "Checkpoint.Stores.PostgreSql.dll")),
        ["postgres"] = Of(Path.Join(Own, "postgresql", "Checkpoint.Stores.PostgreSql.dll")),
    };

    /// <summary>The schemes that are known.</summary>
    public static IReadOnlyCollection<string> Schemes => [.. Known.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Makes a kind of store known to this process. Its assembly is loaded when a store of the kind is first used, in an AssemblyLoadContext of its own and with the libraries beside it.</summary>
    /// <param name="scheme">The scheme, as in <c>scheme://…</c>: letters, digits, <c>+</c>, <c>-</c> and <c>.</c>, beginning with a letter; case does not count. One that is known is replaced.</param>
    /// <param name="assemblyPath">The full path of the assembly that has one public class derived from <see cref="StoreDriver"/>.</param>
    /// <exception cref="ArgumentException">The scheme cannot be one, is <c>file</c>, or the path is not a full one.</exception>
    public static void Register(string scheme, string assemblyPath)
    {
        ArgumentNullException.ThrowIfNull(scheme);
        ArgumentNullException.ThrowIfNull(assemblyPath);
        if (!StoreRegistry.IsUri(scheme + "://") || string.Equals(scheme, "file", StringComparison.OrdinalIgnoreCase))
            throw new InvalidArgumentException($"'{scheme}' cannot be the scheme of a kind of store.");
        if (!Path.IsPathFullyQualified(assemblyPath))
            throw new InvalidArgumentException($"'{assemblyPath}' is not a full path.");
        Known[scheme] = Of(assemblyPath);
    }

    /// <summary>Makes the driver of a store.</summary>
    /// <returns>Null where the scheme is unknown.</returns>
    internal static StoreDriver? Open(string scheme, string location)
    {
        if (!Known.TryGetValue(scheme, out var driver))
            return null;
        try
        {
            return (StoreDriver)Activator.CreateInstance(driver.Value, location)!;
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            ExceptionDispatchInfo.Throw(e.InnerException);
            throw;
        }
        catch (MissingMethodException e)
        {
            throw new StoreFaultException(StoreFault.Unavailable, $"its driver, {driver.Value.FullName}, has no public constructor that takes the location alone", e);
        }
    }

    // An error is not remembered: what was missing may have been installed since.
    private static Lazy<Type> Of(string path) => new(() => DriverLoadContext.FindDriver(path), LazyThreadSafetyMode.PublicationOnly);
}
