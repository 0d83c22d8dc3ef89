using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>What an open file is. .NET does not tell.</summary>
/// <param name="IsRegular">Whether it is a file, and no pipe, device, socket or folder.</param>
/// <param name="Names">How many names it has.</param>
[UnsupportedOSPlatform("windows")]
internal readonly partial record struct UnixFileStatus(bool IsRegular, uint Names)
{
    // Longer than either structure.
    private const int BufferLength = 512;

    private const int TypeMask = 0xF000, Regular = 0x8000;

    /// <returns>That of a file where it cannot be had.</returns>
    public static UnixFileStatus Of(SafeFileHandle file)
    {
        Span<byte> status = stackalloc byte[BufferLength];
        ref var buffer = ref MemoryMarshal.GetReference(status);
        try
        {
            if (OperatingSystem.IsMacOS())
            {
                // struct stat with 64-bit inodes: st_mode at 4, st_nlink at 6.
                var result = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? FstatX64(file, ref buffer) : Fstat(file, ref buffer);
                return result == 0 ? From(status[4..], BinaryPrimitives.ReadUInt16LittleEndian(status[6..])) : new(true, 1);
            }
            // struct statx: stx_nlink at 16, stx_mode at 28. AT_EMPTY_PATH; STATX_TYPE | STATX_NLINK
            return Statx(file, "", 0x1000, 5, ref buffer) == 0 ? From(status[28..], BinaryPrimitives.ReadUInt32LittleEndian(status[16..])) : new(true, 1);
        }
        catch (EntryPointNotFoundException)
        {
            // A libc older than 2018.
            return new(true, 1);
        }
    }

    private static UnixFileStatus From(ReadOnlySpan<byte> mode, uint names) => new((BinaryPrimitives.ReadUInt16LittleEndian(mode) & TypeMask) == Regular, names);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle file, string path, int flags, uint mask, ref byte status);

    [LibraryImport("libc", EntryPoint = "fstat")]
    private static partial int Fstat(SafeFileHandle file, ref byte status);

    [LibraryImport("libc", EntryPoint = "fstat$INODE64")]
    private static partial int FstatX64(SafeFileHandle file, ref byte status);
}
