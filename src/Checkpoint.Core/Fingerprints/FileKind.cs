using System.Runtime.InteropServices;

namespace Checkpoint;

/// <summary>Tells files from pipes and devices, which may have no end, or none to write into them. .NET does not.</summary>
internal static partial class FileKind
{
    private const int TypeMask = 0xF000, Regular = 0x8000; // S_IFMT, S_IFREG

    /// <summary>Whether a path leads to a file, or to nothing that can be looked at.</summary>
    public static bool MayBeRegular(string path)
    {
        if (OperatingSystem.IsWindows())
            return true;
        Span<byte> status = stackalloc byte[512];
        try
        {
            // The mode stands behind stx_gid in struct statx; in struct stat behind st_dev, or on x64, where stat is the call of old, behind st_ino.
            var mode = OperatingSystem.IsMacOS()
                ? Status(path, status) == 0 ? status[(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 4 : 8)..] : default
                : StatusAt(-100, path, 0, 1, status) == 0 ? status[28..] : default; // AT_FDCWD, STATX_TYPE
            return mode.IsEmpty || (MemoryMarshal.Read<ushort>(mode) & TypeMask) == Regular;
        }
        catch (EntryPointNotFoundException)
        {
            // A C library older than statx, such as glibc before 2.28.
            return true;
        }
    }

    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Status(string path, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatusAt(int folder, string path, int flags, uint mask, Span<byte> status);
}
