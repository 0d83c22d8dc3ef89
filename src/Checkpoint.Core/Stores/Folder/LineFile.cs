using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>Text files that are only ever appended to, by several writers at once: lines never mix, for each appends under the file's lock.</summary>
/// <remarks>The file is closed again behind each append and not flushed: what was appended outlasts the death of the process, but not a loss of power at once.</remarks>
internal static class LineFile
{
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(2);

    private const int ReadSize = 1 << 16;

    // How often the lock is tried at least, and how often the folder may be cleared away before the file is made.
    private const int Attempts = 100;

    /// <summary>Appends whole lines, with their line feeds. The file and its folder are made where they are missing.</summary>
    /// <exception cref="IOException">Somebody else has had the file's lock for too long, or it cannot be written.</exception>
    public static ValueTask AppendAsync(FileSystem files, string path, ReadOnlyMemory<byte> lines, CancellationToken cancellation) =>
        AppendAsync(files, path, file => Append(files, file, lines.Span), cancellation);

    /// <summary>Appends by the file's lock. The file and its folder are made where they are missing.</summary>
    /// <exception cref="IOException">Somebody else has had the file's lock for too long, or it cannot be written.</exception>
    public static async ValueTask AppendAsync(FileSystem files, string path, Action<SafeFileHandle> append, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var file = files.OpenLocked(path);
                if (file is not null)
                {
                    append(file);
                    return;
                }
                // Time alone says nothing where the machine slept.
                if (attempt > Attempts && Stopwatch.GetElapsedTime(started) > LockPatience)
                    throw new IOException($"'{path}' has been locked by another process for {LockPatience.TotalSeconds:0} seconds");
            }
            catch (DirectoryNotFoundException) when (attempt < Attempts)
            {
                FolderTree.Create(files, Path.GetDirectoryName(path)!);
                continue;
            }
            await Task.Delay(1, cancellation);
        }
    }

    /// <summary>The lines of a file, without their line feeds, each valid until the next is asked for; and whether they have one, as all but the last have.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="file">The file.</param>
    /// <param name="longest">How many bytes a line can have at most, a power of two. Of a longer one, which is damage and must not take all memory, a part in its middle is left out.</param>
    public static IEnumerable<(ReadOnlyMemory<byte> Line, bool IsEnded)> Lines(FileSystem files, SafeFileHandle file, int longest)
    {
        var buffer = new byte[ReadSize];
        var (filled, at) = (0, 0L);
        for (int read; (read = files.Read(file, buffer.AsSpan(filled), at)) > 0;)
        {
            at += read;
            filled += read;
            var start = 0;
            for (int end; (end = Array.IndexOf(buffer, (byte)'\n', start, filled - start)) >= 0; start = end + 1)
                yield return (buffer.AsMemory(start, end - start), true);
            filled -= start;
            Array.Copy(buffer, start, buffer, 0, filled);
            if (filled == longest)
                filled -= ReadSize;
            else if (filled == buffer.Length)
                Array.Resize(ref buffer, 2 * buffer.Length);
        }
        if (filled > 0)
            yield return (buffer.AsMemory(0, filled), false);
    }

    // What a crash left without its line feed must not swallow the next line.
    private static void Append(FileSystem files, SafeFileHandle file, ReadOnlySpan<byte> lines)
    {
        var length = RandomAccess.GetLength(file);
        Span<byte> last = stackalloc byte[1];
        if (length > 0 && files.Read(file, last, length - 1) == 1 && last[0] != '\n')
        {
            files.Write(file, "\n"u8, length);
            length++;
        }
        files.Write(file, lines, length);
    }
}
