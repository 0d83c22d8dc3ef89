using System.Management.Automation;

namespace Checkpoint;

/// <summary>Makes a store's location absolute as PowerShell would.</summary>
internal static class StorePath
{
    /// <summary>URIs and full paths are absolute; drives of PowerShell and ~ are resolved; the rest lies below the session's location.</summary>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.StoreUnavailable"/> where the path is on no file system.</exception>
    public static string Resolve(PathIntrinsics session, string location)
    {
        if (StoreRegistry.IsUri(location))
            return location;
        try
        {
            if (location is not ['~', ..] && !location.Contains(':', StringComparison.Ordinal))
                return Path.IsPathFullyQualified(location) ? Path.GetFullPath(location) : Path.GetFullPath(location, CurrentFolder(session));
            var path = session.GetUnresolvedProviderPathFromPSPath(location, out var provider, out _);
            return provider.Name == "FileSystem" ? Path.GetFullPath(path) : throw CheckpointErrors.Unusable(location, $"it is a path of the provider {provider.Name}, not of a file system");
        }
        // Drives and providers that are not there, and texts that no path can be.
        catch (Exception e) when (e is SessionStateException or ArgumentException or InvalidOperationException or IOException)
        {
            throw CheckpointErrors.Unusable(location, e.Message, e);
        }
    }

    // PathInfo.ProviderPath gives the same for seven times what a whole cmdlet costs; it is left for locations without a drive (UNC paths).
    private static string CurrentFolder(PathIntrinsics session)
    {
        var location = session.CurrentFileSystemLocation;
        return location.Drive is { } drive ? Path.Join(drive.Root, drive.CurrentLocation) : location.ProviderPath;
    }
}
