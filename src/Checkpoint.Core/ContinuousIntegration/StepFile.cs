using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>The files by which a step speaks to its CI system.</summary>
internal static class StepFile
{
    /// <summary>What a summary ends with that would have become too long.</summary>
    public const string Cut = "\n*What Checkpoint has to say further is left out: a summary must not be longer.*\n";

    /// <summary>Appends lines.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static ValueTask AppendAsync(FileSystem files, string path, string lines, CancellationToken cancellation) =>
        LineFile.AppendAsync(files, Existing(path), Encoding.UTF8.GetBytes(lines), cancellation);

    /// <summary>Appends Markdown, as many of its lines as the limit has room for.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static ValueTask SummarizeAsync(FileSystem files, string path, string markdown, int limit, CancellationToken cancellation) =>
        LineFile.AppendAsync(files, Existing(path), file => Summarize(files, file, markdown, limit), cancellation);

    // The system has made the folder: where it is missing nobody would read what is written there.
    private static string Existing(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && Directory.Exists(folder) ? path : throw new IOException($"there is no folder for '{path}'");

    private static void Summarize(FileSystem files, SafeFileHandle file, string markdown, int limit)
    {
        var (length, cut) = (RandomAccess.GetLength(file), Encoding.UTF8.GetBytes(Cut));
        var last = new byte[cut.Length];
        var tail = last.AsSpan(0, length < last.Length ? 0 : files.Read(file, last, length - last.Length));
        if (tail.SequenceEqual(cut))
            return;
        var start = length > 0 && files.Read(file, last.AsSpan(0, 1), length - 1) == 1 && last[0] != '\n' ? "\n" : "";
        var text = Encoding.UTF8.GetBytes(start + markdown);
        var room = limit - cut.Length - length;
        if (text.Length <= room)
            files.Write(file, text, length);
        else
            files.Write(file, (byte[])[.. text.AsSpan(0, 1 + text.AsSpan(0, (int)Math.Max(0, room)).LastIndexOf((byte)'\n')), .. cut], length);
    }
}
