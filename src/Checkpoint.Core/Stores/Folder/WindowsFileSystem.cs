using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>
/// Windows: access rights come from the folder above; a lock is a file that the system removes with its holder; a rename is on the medium when it
/// returns (MOVEFILE_WRITE_THROUGH), so folders need no flush of their own.
/// </summary>
[SupportedOSPlatform("windows")]
internal partial class WindowsFileSystem : FileSystem
{
    private const uint ReplaceExisting = 1, WriteThrough = 8;
    private const int ErrorFileNotFound = 2, ErrorPathNotFound = 3, ErrorAccessDenied = 5, ErrorSharingViolation = 32, ErrorFileExists = 80, ErrorAlreadyExists = 183;

    // A virus scanner or indexer that looks at a new file makes its rename fail for a moment.
    private const int RenameAttempts = 20;

    public override bool LocksOutlastRenames => false;

    // FAT and exFAT leave a folder's time as it is; the client of a share remembers it for seconds.
    public override bool TellsChanges(string path)
    {
        try
        {
            var drive = new DriveInfo(Path.GetPathRoot(path)!);
            return drive.DriveType != DriveType.Network && drive.DriveFormat is "NTFS" or "ReFS";
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException)
        {
            // The path of a share has no drive.
            return false;
        }
    }

    public override void CreateDirectory(string path)
    {
        RequireParent(path);
        Directory.CreateDirectory(path);
    }

    public override SafeFileHandle CreateFile(string path) => File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);

    public override SafeFileHandle? OpenLocked(string path)
    {
        try
        {
            return OpenShared(path);
        }
        catch (IOException e) when ((e.HResult & 0xFFFF) == ErrorSharingViolation)
        {
            return null;
        }
    }

    public override bool TryDeleteAbandoned(string path)
    {
        try
        {
            // What a link leads to would be deleted.
            if ((File.GetAttributes(path) & FileAttributes.ReparsePoint) != 0)
                return false;
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            return true;
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            return false;
        }
    }

    public override bool IsLocked(string path)
    {
        try
        {
            // Who has the lock may write, which this does not share.
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            return false;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (IOException e) when ((e.HResult & 0xFFFF) == ErrorSharingViolation)
        {
            return true;
        }
    }

    public override SafeFileHandle OpenShared(string path)
    {
        RefuseLink(path);
        return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
    }

    public override DirectoryHandle OpenDirectory(string path) => new WindowsDirectory(path);

    public override bool TryRenameNew(SafeFileHandle file, string from, string to)
    {
        file.Dispose();
        return TryMove(from, to);
    }

    public override bool TryMove(string from, string to) => Move(from, to, WriteThrough);

    public override void RenameOver(SafeFileHandle file, string from, string to)
    {
        file.Dispose();
        Move(from, to, WriteThrough | ReplaceExisting);
    }

    private static bool Move(string from, string to, uint flags)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (MoveFileEx(Extended(from), Extended(to), flags))
                return true;
            var error = Marshal.GetLastPInvokeError();
            if (error is ErrorFileExists or ErrorAlreadyExists)
                return false;
            if (error is not (ErrorAccessDenied or ErrorSharingViolation) || attempt == RenameAttempts)
                throw Failed(error, to);
            Thread.Sleep(attempt);
        }
    }

    // Longer paths than MAX_PATH, and names that Win32 would change, pass only in this form.
    private static string Extended(string path) =>
        path.StartsWith(@"\\?\", StringComparison.Ordinal) ? path
        : path.StartsWith(@"\\", StringComparison.Ordinal) ? @"\\?\UNC\" + path[2..]
        : @"\\?\" + path;

    private static Exception Failed(int error, string path)
    {
        var message = $"{new Win32Exception(error).Message} : '{path}'";
        return error switch
        {
            ErrorFileNotFound or ErrorPathNotFound => new DirectoryNotFoundException(message),
            ErrorAccessDenied => new UnauthorizedAccessException(message),
            _ => new IOException(message, unchecked((int)0x80070000) | error),
        };
    }

    [LibraryImport("kernel32", EntryPoint = "MoveFileExW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool MoveFileEx(string from, string to, uint flags);

    private sealed class WindowsDirectory : DirectoryHandle
    {
        // Milliseconds.
        private const int MaxPause = 16;

        private readonly string _path;
        private FileStream? _lock;
        private UnauthorizedAccessException? _denied;

        public WindowsDirectory(string path)
        {
            if (!Directory.Exists(path))
                throw new DirectoryNotFoundException($"Could not find the folder '{path}'.");
            _path = path;
        }

        public override LockResult TryLock()
        {
            try
            {
                _lock = new FileStream(Path.Combine(_path, FolderLayout.LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
                return LockResult.Taken;
            }
            catch (Exception e) when (IOErrors.IsBusy(e))
            {
                // Access is denied for a moment while the last holder's file is being removed; for longer it means what it says.
                _denied = e as UnauthorizedAccessException;
                return LockResult.Busy;
            }
        }

        public override async ValueTask<LockResult> LockAsync(TimeSpan patience, CancellationToken cancellation)
        {
            var started = Stopwatch.GetTimestamp();
            for (var pause = 1; ; pause = Math.Min(2 * pause, MaxPause))
            {
                if (TryLock() == LockResult.Taken)
                    return LockResult.Taken;
                if (Stopwatch.GetElapsedTime(started) > patience)
                    return _denied is null ? LockResult.Busy : throw _denied;
                // Waiters that woke together would meet again.
                await Task.Delay(Random.Shared.Next(pause, 2 * pause), cancellation);
            }
        }

        public override void Flush()
        {
        }

        public override void Dispose() => _lock?.Dispose();
    }
}
