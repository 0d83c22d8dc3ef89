namespace Checkpoint;

/// <summary>The one place that knows what the operating systems' error numbers mean for a store.</summary>
internal static class IOErrors
{
    // errno on Linux and macOS; on Windows the Win32 code stands in the lower half of the HRESULT.
    private static readonly int[] Full = OperatingSystem.IsWindows()
        ? [Win32(39), Win32(112), Win32(223), Win32(1295)] // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL, ERROR_FILE_TOO_LARGE, ERROR_DISK_QUOTA_EXCEEDED
        : [28, OperatingSystem.IsMacOS() ? 69 : 122, 27]; // ENOSPC, EDQUOT, EFBIG

    private static readonly int ReadOnly = OperatingSystem.IsWindows() ? Win32(19) : 30; // ERROR_WRITE_PROTECT, EROFS

    private static readonly int[] Busy = [Win32(32), Win32(33), Win32(303)]; // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_DELETE_PENDING

    /// <summary>Whether it is the file system that failed, and not this program.</summary>
    public static bool IsFault(Exception error) => error is IOException or UnauthorizedAccessException;

    public static (CheckpointErrorKind Kind, string Advice) Classify(Exception error)
    {
        if (error is UnauthorizedAccessException or System.Security.SecurityException)
            return (CheckpointErrorKind.StoreAccessDenied, "Give this user access to the folder, or name another with -Store.");
        if (Full.Contains(error.HResult))
            return (CheckpointErrorKind.StoreFull, "Earlier checkpoints are intact. Free some space, for instance with Clear-Checkpoint -Keep, and save again.");
        if (error.HResult == ReadOnly)
            return (CheckpointErrorKind.StoreReadOnly, "The store can be read but not written. Name a writable one with -Store.");
        return (CheckpointErrorKind.StoreUnavailable, "Earlier checkpoints are untouched. Check that the path can be reached and is a folder, then try again.");
    }

    /// <summary>A file that may not grow so long. .NET has an exception of its own for that, which is none of input and output.</summary>
    public static IOException TooLarge(ArgumentOutOfRangeException error) =>
        new("the file would be larger than this process or the file system may make one", error) { HResult = OperatingSystem.IsWindows() ? Win32(223) : 27 };

    /// <summary>Whether an error of Windows only says that somebody else has a file open, or is removing it.</summary>
    public static bool IsBusy(Exception error) => error is UnauthorizedAccessException || Busy.Contains(error.HResult);

    private static int Win32(int code) => unchecked((int)0x80070000) | code;
}
