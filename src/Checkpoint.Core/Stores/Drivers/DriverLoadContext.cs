using System.Reflection;
using System.Runtime.Loader;

namespace Checkpoint;

/// <summary>Holds a driver and all that it pulls in apart from the rest of the process, so that no other module's copy of the same library collides with it.</summary>
internal sealed class DriverLoadContext(string path) : AssemblyLoadContext("Checkpoint driver " + Path.GetFileNameWithoutExtension(path))
{
    private static readonly Assembly Core = typeof(DriverLoadContext).Assembly;

    private readonly AssemblyDependencyResolver _resolver = new(path);

    /// <summary>The driver's class: the one public class in the assembly that is a driver.</summary>
    /// <exception cref="StoreFaultException">There is no such assembly, or none or several such classes in it.</exception>
    public static Type FindDriver(string path)
    {
        try
        {
            if (!File.Exists(path))
                throw new StoreFaultException(StoreFault.Unavailable, $"its driver '{path}' is not there; install it again");
            var found = new DriverLoadContext(path).LoadFromAssemblyPath(path).GetExportedTypes().Where(type => !type.IsAbstract && type.IsSubclassOf(typeof(StoreDriver))).ToList();
            return found.Count == 1 ? found[0]
                : throw new StoreFaultException(StoreFault.Unavailable, $"its driver '{path}' has {(found.Count == 0 ? "no public class" : $"{found.Count} public classes")} that derives from {typeof(StoreDriver).FullName}");
        }
        catch (Exception e) when (e is IOException or BadImageFormatException or TypeLoadException or UnauthorizedAccessException)
        {
            throw new StoreFaultException(StoreFault.Unavailable, $"its driver '{path}' cannot be loaded ({e.Message.TrimEnd('.')})", e);
        }
    }

    // The contract is the one that this process already has; or nothing would be a driver.
    protected override Assembly? Load(AssemblyName assemblyName) =>
        assemblyName.Name == Core.GetName().Name ? Core : _resolver.ResolveAssemblyToPath(assemblyName) is { } found ? LoadFromAssemblyPath(found) : null;

    protected override nint LoadUnmanagedDll(string unmanagedDllName) => _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } found ? LoadUnmanagedDllFromPath(found) : 0;
}
