using System.Buffers;

namespace Checkpoint;

/// <summary>The history of pipelines: one file a pipeline, a line an event, only ever appended to.</summary>
/// <remarks>
/// It is not flushed with each line: a loss of power may take the newest, which costs no checkpoint.
/// </remarks>
internal sealed class FolderHistory(string root, FileSystem files)
{
    private const int ReadSize = 1 << 16;

    // Far more than any event takes. A longer line is damage, which must not take all memory.
    private const int MaxLine = 1 << 20;

    public ValueTask AppendAsync(string pipeline, IEnumerable<CheckpointEvent> events, CancellationToken cancellation)
    {
        FileSystem.RefuseLinks(FolderLayout.RunPath(root, pipeline, null), root);
        var lines = new ArrayBufferWriter<byte>(512);
        foreach (var entry in events)
            HistoryFormat.Write(lines, entry);
        return LineFile.AppendAsync(files, FolderLayout.HistoryPath(root, pipeline), lines.WrittenMemory, cancellation);
    }

    /// <summary>The events of a pipeline, oldest first. A line that a crash cut off is passed over.</summary>
    /// <param name="pipelineFolder">The pipeline's folder name.</param>
    public IEnumerable<CheckpointEvent> Read(string pipelineFolder)
    {
        using var file = files.OpenRead(Path.Join(root, pipelineFolder, FolderLayout.HistoryName));
        if (file is null)
            yield break;
        var buffer = new byte[ReadSize];
        var (filled, at, isTooLong) = (0, 0L, false);
        for (int read; (read = files.Read(file, buffer.AsSpan(filled), at)) > 0;)
        {
            at += read;
            filled += read;
            var start = 0;
            for (int end; (end = Array.IndexOf(buffer, (byte)'\n', start, filled - start)) >= 0; start = end + 1)
            {
                if (!isTooLong && HistoryFormat.Parse(buffer.AsSpan(start, end - start), root) is { } entry)
                    yield return entry;
                isTooLong = false;
            }
            filled -= start;
            Array.Copy(buffer, start, buffer, 0, filled);
            if (filled == MaxLine)
                (filled, isTooLong) = (0, true);
            else if (filled == buffer.Length)
                Array.Resize(ref buffer, 2 * buffer.Length);
        }
    }
}
