using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>The history of pipelines: one file a pipeline, a line an event, only ever appended to, each line chained to the one before by a hash.</summary>
/// <remarks>
/// It is not flushed with each line: a loss of power may take the newest, which costs no checkpoint. Beside it lies its head, the place of the newest line in the
/// chain, which tells when lines are missing at the end.
/// </remarks>
internal sealed class FolderHistory(string root, FileSystem files)
{
    private const int ReadSize = 1 << 16;

    // What is torn at the end is not searched further for a whole line: then the head counts.
    private const int MaxTorn = 1 << 24;

    // A chain, a blank, a number of 19 digits and a line feed.
    private const int HeadLength = 64 + 1 + 19 + 1;

    /// <summary>Appends to a history. Without events it ends a line that a crash cut off, and writes the head anew.</summary>
    /// <param name="folder">The pipeline's folder.</param>
    /// <param name="events">The events.</param>
    /// <param name="cancellation">Ends the wait for the lock.</param>
    public ValueTask AppendAsync(string folder, IReadOnlyList<CheckpointEvent> events, CancellationToken cancellation)
    {
        FileSystem.RefuseLinks(folder, root);
        return LineFile.AppendAsync(files, Path.Join(folder, FolderLayout.HistoryName), file => Append(file, HeadPath(folder), events), cancellation);
    }

    /// <summary>The events of a pipeline, oldest first. A line that a crash cut off is passed over.</summary>
    /// <param name="pipelineFolder">The pipeline's folder name.</param>
    public IEnumerable<CheckpointEvent> Read(string pipelineFolder)
    {
        using var file = files.OpenRead(Path.Join(root, pipelineFolder, FolderLayout.HistoryName));
        if (file is null)
            yield break;
        foreach (var (line, isEnded) in LineFile.Lines(files, file, HistoryFormat.MaxLine))
        {
            if (isEnded && HistoryFormat.Parse(line.Span, root) is { } entry)
                yield return entry;
        }
    }

    /// <summary>What the head of a history says, or null where there is none that can be read.</summary>
    /// <param name="folder">The pipeline's folder.</param>
    public HistoryLink? ReadHead(string folder)
    {
        using var head = files.OpenRead(HeadPath(folder));
        return head is null ? null : ReadHead(head);
    }

    private static string HeadPath(string folder) => Path.Join(folder, FolderLayout.HistoryHeadName);

    private void Append(SafeFileHandle file, string headPath, IReadOnlyList<CheckpointEvent> events)
    {
        var length = RandomAccess.GetLength(file);
        var (last, isEnded) = FindLast(file, length);
        using var head = TryOpen(headPath);
        // What is missing at the end stays told: the chain goes on where it was.
        var lost = 0L;
        if (head is not null && ReadHead(head) is { } known && known.Number > last.Number)
            (lost, last) = (known.Number - last.Number, known);
        var lines = new ArrayBufferWriter<byte>(512);
        // What a crash left without its line feed must not swallow the next line.
        if (!isEnded)
            lines.Write("\n"u8);
        foreach (var entry in events)
        {
            last = HistoryFormat.Write(lines, entry, last, lost);
            lost = 0;
        }
        files.Write(file, lines.WrittenSpan, length);
        if (head is not null)
            TryWriteHead(head, last);
    }

    // The newest line that has a place in the chain: in almost all cases the last one, whose end is all that is read.
    private (HistoryLink Last, bool IsEnded) FindLast(SafeFileHandle file, long length)
    {
        for (var size = HistoryFormat.LinkLength; ; size = size < ReadSize ? ReadSize : 2 * size)
        {
            var tail = new byte[Math.Min(size, length)];
            ReadOnlySpan<byte> rest = tail.AsSpan(0, ReadAt(file, tail, length - tail.Length));
            var isEnded = rest.IsEmpty || rest[^1] == '\n';
            while (!rest.IsEmpty)
            {
                if (rest[^1] == '\n')
                    rest = rest[..^1];
                var start = rest.LastIndexOf((byte)'\n') + 1;
                // A program that changed the ends of lines did not change what they say.
                if (HistoryFormat.TryReadLink(rest[start..].TrimEnd((byte)'\r'), out var link, out _))
                    return (link, isEnded);
                rest = rest[..start];
            }
            if (size >= Math.Min(length, MaxTorn))
                return (HistoryLink.Start, isEnded);
        }
    }

    private HistoryLink? ReadHead(SafeFileHandle head)
    {
        Span<byte> bytes = stackalloc byte[HeadLength];
        if (ReadAt(head, bytes, 0) != HeadLength || bytes[64] != ' ' || bytes[^1] != '\n' || !HistoryFormat.IsChain(bytes[..64]) || bytes[65..84].ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return null;
        var text = Encoding.ASCII.GetString(bytes);
        return long.TryParse(text.AsSpan(65, 19), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? new HistoryLink(number, text[..64]) : null;
    }

    // The head can be made again from the history: where it cannot be written, the line stands all the same.
    private SafeFileHandle? TryOpen(string path)
    {
        try
        {
            return files.OpenShared(path);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            return null;
        }
    }

    private void TryWriteHead(SafeFileHandle head, HistoryLink last)
    {
        try
        {
            files.Write(head, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{last.Chain} {last.Number:D19}\n")), 0);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
        }
    }

    private int ReadAt(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        var done = 0;
        // A network share may give less than was asked for.
        for (int read; done < buffer.Length && (read = files.Read(file, buffer[done..], offset + done)) > 0;)
            done += read;
        return done;
    }
}
