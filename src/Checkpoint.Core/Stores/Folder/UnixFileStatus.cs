using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>What a name leads to, links not followed, or what an open file is: which file, whatever other names it has, and of which type. .NET does not tell.</summary>
/// <param name="Device">The file system.</param>
/// <param name="Inode">The file in it.</param>
/// <param name="Mode">Its type and its permissions: st_mode.</param>
/// <param name="Names">How many names it has.</param>
/// <param name="Length">Its length in bytes.</param>
[UnsupportedOSPlatform("windows")]
internal readonly partial record struct UnixFileStatus(ulong Device, ulong Inode, ushort Mode, uint Names, long Length)
{
    // Longer than either structure.
    private const int BufferLength = 512;

    // AT_FDCWD; AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC, so that the server is asked; AT_EMPTY_PATH; STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_INO | STATX_SIZE
    private const int WorkingFolder = -100, ByName = 0x2100, ByHandle = 0x1000, Mask = 0x307;

    /// <returns>Null where it cannot be had.</returns>
    public static UnixFileStatus? Of(string path)
    {
        Span<byte> status = stackalloc byte[BufferLength];
        ref var buffer = ref MemoryMarshal.GetReference(status);
        try
        {
            return OperatingSystem.IsMacOS()
                ? OfStat(HasOldStat ? LstatX64(path, ref buffer) : Lstat(path, ref buffer), status)
                : OfStatx(Statx(WorkingFolder, path, ByName, Mask, ref buffer), status);
        }
        catch (EntryPointNotFoundException)
        {
            // A libc older than 2018.
            return null;
        }
    }

    /// <returns>Null where it cannot be had.</returns>
    public static UnixFileStatus? Of(SafeFileHandle file)
    {
        Span<byte> status = stackalloc byte[BufferLength];
        ref var buffer = ref MemoryMarshal.GetReference(status);
        try
        {
            return OperatingSystem.IsMacOS()
                ? OfStat(HasOldStat ? FstatX64(file, ref buffer) : Fstat(file, ref buffer), status)
                : OfStatx(Statx(file, "", ByHandle, Mask, ref buffer), status);
        }
        catch (EntryPointNotFoundException)
        {
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

    // There the name without a suffix is that of the structure with inodes of 32 bits.
    private static bool HasOldStat => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    // struct statx is the same on every processor: stx_nlink at 16, stx_mode at 28, stx_ino at 32, stx_size at 40, stx_dev_major and stx_dev_minor at 136.
    private static UnixFileStatus? OfStatx(int result, ReadOnlySpan<byte> status) => result != 0 ? null : new UnixFileStatus(
        BinaryPrimitives.ReadUInt64LittleEndian(status[136..]), BinaryPrimitives.ReadUInt64LittleEndian(status[32..]), BinaryPrimitives.ReadUInt16LittleEndian(status[28..]),
        BinaryPrimitives.ReadUInt32LittleEndian(status[16..]), BinaryPrimitives.ReadInt64LittleEndian(status[40..]));

    // struct stat of macOS with inodes of 64 bits: st_dev at 0, st_mode at 4, st_nlink at 6, st_ino at 8, st_size at 96.
    private static UnixFileStatus? OfStat(int result, ReadOnlySpan<byte> status) => result != 0 ? null : new UnixFileStatus(
        BinaryPrimitives.ReadUInt32LittleEndian(status), BinaryPrimitives.ReadUInt64LittleEndian(status[8..]), BinaryPrimitives.ReadUInt16LittleEndian(status[4..]),
        BinaryPrimitives.ReadUInt16LittleEndian(status[6..]), BinaryPrimitives.ReadInt64LittleEndian(status[96..]));

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte status);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle file, string path, int flags, uint mask, ref byte status);

    [LibraryImport("libc", EntryPoint = "lstat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Lstat(string path, ref byte status);

    [LibraryImport("libc", EntryPoint = "lstat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LstatX64(string path, ref byte status);

    [LibraryImport("libc", EntryPoint = "fstat")]
    private static partial int Fstat(SafeFileHandle file, ref byte status);

    [LibraryImport("libc", EntryPoint = "fstat$INODE64")]
    private static partial int FstatX64(SafeFileHandle file, ref byte status);
}
