using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Checkpoint;

/// <summary>What a name leads to, links not followed: which file, whatever other names it has, and of which type. .NET does not tell.</summary>
/// <param name="Device">The file system.</param>
/// <param name="Inode">The file in it.</param>
/// <param name="Mode">Its type and its permissions: st_mode.</param>
/// <param name="Length">Its length in bytes.</param>
[UnsupportedOSPlatform("windows")]
internal readonly partial record struct UnixFileStatus(ulong Device, ulong Inode, ushort Mode, long Length)
{
    // Longer than either structure.
    private const int BufferLength = 512;

    /// <returns>Null where it cannot be had.</returns>
    public static UnixFileStatus? Of(string path)
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

    /// <summary>The type that the mode tells.</summary>
    public EntryType Type => (Mode & 0xF000) switch
    {
        0x8000 => EntryType.File,
        0x4000 => EntryType.Folder,
        0xA000 => EntryType.Link,
        _ => EntryType.Other,
    };

    /// <summary>The permissions that the mode tells.</summary>
    public UnixFileMode Permissions => (UnixFileMode)(Mode & 0xFFF);

    // struct statx is the same on every processor: stx_mode at 28, stx_ino at 32, stx_size at 40, stx_dev_major and stx_dev_minor at 136.
    private static UnixFileStatus? OfStatx(string path, Span<byte> status) =>
        // AT_FDCWD; AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC, so that the server is asked; STATX_TYPE | STATX_MODE | STATX_INO | STATX_SIZE
        Statx(-100, path, 0x2100, 0x303, ref MemoryMarshal.GetReference(status)) == 0
            ? new UnixFileStatus(BinaryPrimitives.ReadUInt64LittleEndian(status[136..]), BinaryPrimitives.ReadUInt64LittleEndian(status[32..]), BinaryPrimitives.ReadUInt16LittleEndian(status[28..]), BinaryPrimitives.ReadInt64LittleEndian(status[40..]))
            : null;

    // struct stat with 64-bit inodes: st_dev at 0, st_mode at 4, st_ino at 8, st_size at 96.
    private static UnixFileStatus? OfStat(string path, Span<byte> status)
    {
        ref var buffer = ref MemoryMarshal.GetReference(status);
        var result = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? LstatX64(path, ref buffer) : Lstat(path, ref buffer);
        return result == 0
            ? new UnixFileStatus(BinaryPrimitives.ReadUInt32LittleEndian(status), BinaryPrimitives.ReadUInt64LittleEndian(status[8..]), BinaryPrimitives.ReadUInt16LittleEndian(status[4..]), BinaryPrimitives.ReadInt64LittleEndian(status[96..]))
            : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte status);

    [LibraryImport("libc", EntryPoint = "lstat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Lstat(string path, ref byte status);

    [LibraryImport("libc", EntryPoint = "lstat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LstatX64(string path, ref byte status);
}
