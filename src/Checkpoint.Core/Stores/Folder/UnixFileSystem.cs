using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>Linux and macOS: modes 0600 and 0700, folders that can be locked (flock) and flushed (fsync), renames that refuse a taken name.</summary>
[UnsupportedOSPlatform("windows")]
internal partial class UnixFileSystem : FileSystem
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerFile | UnixFileMode.UserExecute;

    // Numbers that Linux and macOS share.
    protected const int EPERM = 1, ENOENT = 2, EINTR = 4, ENXIO = 6, EACCES = 13, EEXIST = 17, ENOTDIR = 20, EINVAL = 22;

    private const int LockShared = 1, LockExclusive = 2, LockNonBlocking = 4;

    private static readonly int EWOULDBLOCK = OperatingSystem.IsMacOS() ? 35 : 11;
    private static readonly int ENOSYS = OperatingSystem.IsMacOS() ? 78 : 38;
    private static readonly int EOPNOTSUPP = OperatingSystem.IsMacOS() ? 102 : 95;
    private static readonly int ELOOP = OperatingSystem.IsMacOS() ? 62 : 40;
    private static readonly int ENOTSUP = OperatingSystem.IsMacOS() ? 45 : 95;

    // O_NOFOLLOW, which Linux numbers by processor.
    private static readonly int NoFollow = OperatingSystem.IsMacOS() ? 0x100
        : RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 or Architecture.Armv6 or Architecture.Ppc64le ? 0x8000 : 0x20000;

    // O_DIRECT, which Linux numbers by processor.
    private static readonly int Direct = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.Arm or Architecture.Arm64 or Architecture.Armv6 => 0x10000,
        Architecture.Ppc64le => 0x20000,
        _ => 0x4000,
    };

    // The client of a share remembers a folder's time for seconds, and what lies behind FUSE or FAT need not move it at all.
    public override bool TellsChanges(string path)
    {
        try
        {
            return new DriveInfo(path).DriveFormat is "ext2" or "ext3" or "ext4" or "extfs" or "xfs" or "btrfs" or "bcachefs" or "f2fs" or "jfs" or "zfs" or "ufs" or "tmpfs" or "ramfs" or "overlay" or "overlayfs" or "apfs" or "hfs";
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public override void CreateDirectory(string path)
    {
        if (Directory.Exists(path))
            return;
        RequireParent(path);
        Directory.CreateDirectory(path, OwnerFolder);
    }

    public override SafeFileHandle CreateFile(string path)
    {
        // Between its creation and its lock a remover may take the file for a dead one. It removes it then; the caller takes another name.
        var file = TryCreate(path);
        if (file is not null && TryLock(file) != LockResult.Busy && File.Exists(path))
            return file;
        file?.Dispose();
        throw new FileNotFoundException("The file was removed as soon as it was made.", path);
    }

    private static SafeFileHandle? TryCreate(string path)
    {
        try
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite | FileShare.Delete,
                BufferSize = 0,
                UnixCreateMode = OwnerFile,
            }).SafeFileHandle;
        }
        catch (IOException e) when (e.HResult == EWOULDBLOCK)
        {
            // .NET takes a shared lock of its own, and a remover has the file's.
            return null;
        }
    }

    public override bool TryWriteDirect(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        var flags = FileControl(file, 3, 0); // F_GETFL
        if (flags < 0 || FileControl(file, 4, flags | Direct) != 0) // F_SETFL
            return false;
        try
        {
            Write(file, bytes, offset);
            return true;
        }
        catch (IOException)
        {
            // A medium with a larger unit, or a file system that takes the flag and then not the bytes. Where the fault lies elsewhere, the write through the cache meets it too.
            return false;
        }
        finally
        {
            _ = FileControl(file, 4, flags);
        }
    }

    // .NET's own open takes a shared lock, and so fails beside a writer that still holds its exclusive one. Without O_NONBLOCK a pipe in a record's place
    // would be waited for.
    public override SafeFileHandle? OpenRead(string path) => TryOpen(path, NoFollow) is { } file ? Own(file, path) : null;

    public override SafeFileHandle? OpenAny(string path) => TryOpen(path, 0);

    private static SafeFileHandle? TryOpen(string path, int flags)
    {
        var descriptor = Open(path, (OperatingSystem.IsMacOS() ? 0x1000004 : 0x80800) | flags); // O_RDONLY | O_NONBLOCK | O_CLOEXEC
        if (descriptor >= 0)
            return new SafeFileHandle(descriptor, ownsHandle: true);
        var error = Marshal.GetLastPInvokeError();
        return error is ENOENT or ENOTDIR ? null : throw Failed(error, path);
    }

    // Who may write a store's files may have put anything in their place.
    private static SafeFileHandle Own(SafeFileHandle file, string path, bool isWritten = false)
    {
        if (UnixFileStatus.Of(file) is not { } status || (status.Type == EntryType.File && (status.Names <= 1 || !isWritten)))
            return file;
        file.Dispose();
        throw new ForeignFileException(path, status.Type == EntryType.File ? ForeignFileException.Shared : ForeignFileException.NoFile);
    }

    // On NFS an exclusive lock needs a file that is open for writing. A link is nothing that a writer left.
    private SafeFileHandle? OpenForLock(string path)
    {
        var descriptor = Open(path, (OperatingSystem.IsMacOS() ? 0x1000006 : 0x80802) | NoFollow); // O_RDWR | O_NONBLOCK | O_CLOEXEC
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : Marshal.GetLastPInvokeError() == ELOOP ? null : OpenRead(path);
    }

    public override SafeFileHandle? OpenLocked(string path)
    {
        var file = OpenShared(path);
        if (TryLock(file) != LockResult.Busy)
            return file;
        file.Dispose();
        return null;
    }

    public override SafeFileHandle OpenShared(string path)
    {
        int descriptor;
        while ((descriptor = Open(path, (OperatingSystem.IsMacOS() ? 0x1000006 : 0x80802) | NoFollow)) < 0) // O_RDWR | O_NONBLOCK | O_CLOEXEC
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != ENOENT)
                throw Failed(error, path);
            MakeEmpty(path);
        }
        return Own(new SafeFileHandle(descriptor, ownsHandle: true), path, isWritten: true);
    }

    private static void MakeEmpty(string path)
    {
        try
        {
            using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0, UnixCreateMode = OwnerFile });
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process was first.
        }
    }

    public override bool TryDeleteAbandoned(string path)
    {
        using var file = OpenForLock(path);
        if (file is null || TryLock(file) != LockResult.Taken)
            return false;
        // By the lock that a writer would need.
        Delete(path);
        return true;
    }

    public override bool IsLocked(string path)
    {
        using var file = OpenRead(path);
        return file is not null && Lock(file, LockShared | LockNonBlocking) == LockResult.Busy;
    }

    public override bool? IsAt(SafeFileHandle file, string path) => UnixFileStatus.Of(file) is not { } open ? null : UnixFileStatus.Of(path) is { } named && (named.Device, named.Inode) == (open.Device, open.Inode);

    public override DirectoryHandle OpenDirectory(string path)
    {
        var descriptor = Open(path, OperatingSystem.IsMacOS() ? 0x1000004 : 0x80800); // O_RDONLY | O_NONBLOCK | O_CLOEXEC
        if (descriptor < 0)
            throw Failed(Marshal.GetLastPInvokeError(), path);
        return new UnixDirectory(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    public override EntryStatus? Status(string path)
    {
        if (UnixFileStatus.Of(path) is { } status)
            return new EntryStatus(status.Type, status.Length, status.Permissions);
        // Not there; or a libc that does not tell more than .NET does.
        return base.Status(path);
    }

    public override bool TryRenameNew(SafeFileHandle file, string from, string to) => TryMove(from, to);

    public override bool TryMove(string from, string to)
    {
        var error = RenameNew(from, to);
        if (error == 0)
            return true;
        if (error == EEXIST)
            return false;
        if (!IsUnsupported(error))
            throw Failed(error, to);

        // The file system cannot refuse in a rename (NFS); a hard link does the same in two operations. Where the server's answer was lost, the
        // repeated request finds the name taken, by the file itself: open(2), under O_EXCL.
        error = LinkNew(from, to);
        if (error == 0 || (error == EEXIST && UnixFileStatus.Of(from) is { } id && id == UnixFileStatus.Of(to)))
        {
            RemoveOldName(from);
            return true;
        }
        if (error == EEXIST)
            return false;
        if (!IsUnsupported(error) && error != EPERM)
            throw Failed(error, to);

        // Nor has it links. What is left is the lock that the caller holds.
        if (Path.Exists(to))
            return false;
        File.Move(from, to, overwrite: true);
        return true;
    }

    public override void RenameOver(SafeFileHandle file, string from, string to) => File.Move(from, to, overwrite: true);

    // The link is the rename; its old name is a leftover like any other.
    private static void RemoveOldName(string from)
    {
        try
        {
            File.Delete(from);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
        }
    }

    private static bool IsUnsupported(int error) => error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == ENOTSUP;

    /// <summary>A rename that refuses a taken name.</summary>
    /// <returns>0, or the error of the system.</returns>
    protected virtual int RenameNew(string from, string to)
    {
        try
        {
            var result = OperatingSystem.IsMacOS()
                ? RenameExclusive(from, to, 4) // RENAME_EXCL
                : RenameAt(-100, from, -100, to, 1); // AT_FDCWD, RENAME_NOREPLACE
            return result == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
        catch (EntryPointNotFoundException)
        {
            // musl before 1.2.6 and glibc before 2.28.
            return ENOSYS;
        }
    }

    /// <summary>Another name for a file, where it is free.</summary>
    /// <returns>0, or the error of the system.</returns>
    protected virtual int LinkNew(string from, string to) => Link(from, to) == 0 ? 0 : Marshal.GetLastPInvokeError();

    private static Exception Failed(int error, string path)
    {
        if (error == ELOOP && IsLink(path))
            return new ForeignFileException(path, ForeignFileException.Link);
        var message = $"{new Win32Exception(error).Message} : '{path}'";
        return error switch
        {
            ENOENT => new DirectoryNotFoundException(message),
            // A socket.
            ENXIO => new ForeignFileException(path, ForeignFileException.NoFile),
            EPERM or EACCES => new UnauthorizedAccessException(message),
            _ => new IOException(message, error),
        };
    }

    private static LockResult TryLock(SafeFileHandle file) => Lock(file, LockExclusive | LockNonBlocking);

    // flock belongs to the open file, not to the process: two runspaces exclude each other as two processes do, and the lock ends with its holder.
    private static LockResult Lock(SafeFileHandle file, int operation)
    {
        int error;
        do
            error = Flock(file, operation) == 0 ? 0 : Marshal.GetLastPInvokeError();
        while (error == EINTR);
        return error == 0 ? LockResult.Taken : error == EWOULDBLOCK ? LockResult.Busy : LockResult.Unsupported;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int FileControl(SafeFileHandle file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string from, string to);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt(int fromFolder, string from, int toFolder, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "renamex_np", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameExclusive(string from, string to, uint flags);

    private sealed class UnixDirectory(SafeFileHandle handle) : DirectoryHandle
    {
        public override LockResult TryLock() => UnixFileSystem.TryLock(handle);

        public override async ValueTask<LockResult> LockAsync(TimeSpan patience, CancellationToken cancellation)
        {
            var result = TryLock();
            if (result != LockResult.Busy)
                return result;
            try
            {
                // The system wakes the waiters in turn. One that gives up leaves a thread waiting, which keeps the handle open until it has the lock, and so gives it back.
                // Not a thread of the pool, which the holder of the lock may need to go on.
                var waiting = Task.Factory.StartNew(() => UnixFileSystem.Lock(handle, LockExclusive), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                return await waiting.WaitAsync(patience, cancellation);
            }
            catch (TimeoutException)
            {
                return LockResult.Busy;
            }
        }

        // fsync; on macOS fcntl(F_FULLFSYNC).
        public override void Flush() => RandomAccess.FlushToDisk(handle);

        public override void Dispose() => handle.Dispose();
    }
}
