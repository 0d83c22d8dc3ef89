using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>
/// Turns at a journal of items that several write. Whose turn it is has the file's lock, which ends with its process. One that lives and yet does not go on, as a process that was stopped, loses its turn:
/// another puts a copy in the place of the file. So whoever has written looks, before it counts, whether the file still has its name.
/// </summary>
/// <param name="files">The file system.</param>
/// <param name="path">The journal.</param>
/// <param name="time">The clock.</param>
/// <param name="open">Opens it and locks it, and makes it where it is missing; null where another has the lock.</param>
internal sealed class FolderItemTurns(FileSystem files, string path, TimeProvider time, Func<SafeFileHandle?> open)
{
    /// <summary>How long another has its turn at most. An append takes milliseconds.</summary>
    public static readonly TimeSpan Patience = ItemCrew.Lifetime;

    private const int Attempts = 100;
    private const int CopySize = 1 << 20;

    /// <summary>Opens the journal for a turn, which ends when the handle is closed. Opened anew each time, so that the client of a share sees what others have appended.</summary>
    /// <exception cref="IOException">Another has had it for too long, and it could not be taken away.</exception>
    public SafeFileHandle Take(CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            if (open() is { } journal)
            {
                if (IsStill(journal))
                    return journal;
                journal.Dispose();
                continue;
            }
            // Time alone says nothing where the machine slept.
            if (attempt > Attempts && time.GetElapsedTime(started) > Patience)
                return Replace();
            if (cancellation.WaitHandle.WaitOne(1))
                cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Whether what was written in a turn stands in the journal. Where not, it is to be written once more; that a line stands there twice does no harm.</summary>
    public bool IsStill(SafeFileHandle journal) => files.IsAt(journal, path) != false;

    private SafeFileHandle Replace()
    {
        // One at a time, by the lock of a number that nobody has.
        var lease = FolderLayout.LeasePath(Path.GetDirectoryName(path)!);
        using var turn = files.OpenLocked(FolderLayout.WorkerPath(lease, 0));
        // Another has done it meanwhile, or whoever had the lock went on.
        if (turn is not null && open() is { } journal)
            return journal;
        using var old = turn is null ? null : files.OpenRead(path);
        if (old is null || files.IsAt(old, path) is null)
            throw Stuck();
        var temporary = Path.Join(Path.GetDirectoryName(path), FolderLayout.NewTemporaryName());
        var copy = files.OpenLocked(temporary) ?? throw Stuck();
        try
        {
            var length = Copy(old, copy, 0);
            files.Flush(copy);
            files.RenameOver(copy, temporary, path);
            // What was written just before the rename, by one that went on then and saw that the file had its name.
            Copy(old, copy, length);
            files.Flush(copy);
            using var folder = files.OpenDirectory(Path.GetDirectoryName(path)!);
            folder.Flush();
            return copy;
        }
        catch
        {
            copy.Dispose();
            files.Delete(temporary);
            throw;
        }
    }

    private long Copy(SafeFileHandle from, SafeFileHandle to, long at)
    {
        var buffer = new byte[CopySize];
        for (int read; (read = files.Read(from, buffer, at)) > 0; at += read)
            files.Write(to, buffer.AsSpan(0, read), at);
        return at;
    }

    private static IOException Stuck() => new($"another process has had its turn at it for {Patience.TotalSeconds:0} seconds");
}
