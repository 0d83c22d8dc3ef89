using System.Buffers;
using System.Diagnostics;

namespace Checkpoint;

/// <summary>The history of pipelines: one file a pipeline, a line an event, only ever appended to.</summary>
/// <remarks>
/// It is not flushed with each line: a loss of power may take the newest, which costs no checkpoint. Lines of several writers never mix, for each appends
/// under the file's lock.
/// </remarks>
internal sealed class FolderHistory(string root, FileSystem files)
{
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(2);

    // How often the folder may be cleared away before the file is made.
    private const int Attempts = 100;

    private const int ReadSize = 1 << 16;

    public async ValueTask AppendAsync(string pipeline, IEnumerable<CheckpointEvent> events, CancellationToken cancellation)
    {
        var path = FolderLayout.HistoryPath(root, pipeline);
        var lines = new ArrayBufferWriter<byte>(512);
        foreach (var entry in events)
            HistoryFormat.Write(lines, entry);
        var started = Stopwatch.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var file = files.OpenLocked(path);
                if (file is not null)
                {
                    Append(file, lines.WrittenSpan);
                    return;
                }
                if (Stopwatch.GetElapsedTime(started) > LockPatience)
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

    /// <summary>The events of a pipeline, oldest first. A line that a crash cut off is passed over.</summary>
    /// <param name="pipelineFolder">The pipeline's folder name.</param>
    public IEnumerable<CheckpointEvent> Read(string pipelineFolder)
    {
        using var file = files.OpenRead(Path.Join(root, pipelineFolder, FolderLayout.HistoryName));
        if (file is null)
            yield break;
        var buffer = new byte[ReadSize];
        var (filled, at) = (0, 0L);
        for (int read; (read = files.Read(file, buffer.AsSpan(filled), at)) > 0;)
        {
            at += read;
            filled += read;
            var start = 0;
            for (int end; (end = Array.IndexOf(buffer, (byte)'\n', start, filled - start)) >= 0; start = end + 1)
            {
                if (HistoryFormat.Parse(buffer.AsSpan(start, end - start), root) is { } entry)
                    yield return entry;
            }
            filled -= start;
            Array.Copy(buffer, start, buffer, 0, filled);
            if (filled == buffer.Length)
                Array.Resize(ref buffer, 2 * buffer.Length);
        }
    }

    // What a crash left without its line feed must not swallow the next line.
    private void Append(Microsoft.Win32.SafeHandles.SafeFileHandle file, ReadOnlySpan<byte> lines)
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
