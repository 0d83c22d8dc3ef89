using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Checkpoint;

/// <summary>Which file a name leads to, whatever other names it has. .NET does not tell.</summary>
/// <param name="Device">The file system.</param>
/// <param name="Inode">The file in it.</param>
[UnsupportedOSPlatform("windows")]
internal readonly partial record struct UnixFileId(ulong Device, ulong Inode)
{
    // Longer than either structure.
    private const int BufferLength = 512;

    /// <returns>Null where it cannot be had.</returns>
    public static UnixFileId? Of(string path)
    {
        Span<byte> status = stackalloc byte[BufferLength];
        try
        {
            return OperatingSystem.IsMacOS() ? OfStat(path, status) : OfStatx(path, status);
        }
        catch (EntryPointNotFoundException)
        {
            // A libc older than 2018.
            return null;
        }
    }

    // struct statx is the same on every processor: stx_ino at 32, stx_dev_major and stx_dev_minor at 136.
    private static UnixFileId? OfStatx(string path, Span<byte> status) =>
        // AT_FDCWD; AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC, so that the server is asked; STATX_INO
        Statx(-100, path, 0x2100, 0x100, ref MemoryMarshal.GetReference(status)) == 0
            ? new UnixFileId(BinaryPrimitives.ReadUInt64LittleEndian(status[136..]), BinaryPrimitives.ReadUInt64LittleEndian(status[32..]))
            : null;

    // struct stat with 64-bit inodes: st_dev at 0, st_ino at 8.
    private static UnixFileId? OfStat(string path, Span<byte> status)
    {
        ref var buffer = ref MemoryMarshal.GetReference(status);
        var result = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? LstatX64(path, ref buffer) : Lstat(path, ref buffer);
        return result == 0 ? new UnixFileId(BinaryPrimitives.ReadUInt32LittleEndian(status), BinaryPrimitives.ReadUInt64LittleEndian(status[8..])) : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte status);

    [LibraryImport("libc", EntryPoint = "lstat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Lstat(string path, ref byte status);

    [LibraryImport("libc", EntryPoint = "lstat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LstatX64(string path, ref byte status);
}
