using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>Reads a journal of items through, line by line, and says which lines, and which of the outputs that they name, are not what was written.</summary>
/// <param name="files">The file system.</param>
/// <param name="folder">The stage's folder.</param>
/// <param name="root">The store's folder.</param>
internal sealed class ItemsCheck(FileSystem files, string folder, string root)
{
    private const int ReadSize = 1 << 20;

    private SafeFileHandle? _outputs;

    /// <summary>The lines that are damaged, from 1.</summary>
    public List<long> Damaged { get; } = [];

    /// <summary>The lines that a crash cut off.</summary>
    public List<long> Torn { get; } = [];

    /// <summary>Whether the last line is such a one.</summary>
    public bool IsLastTorn { get; private set; }

    /// <summary>The lines whose outputs are damaged.</summary>
    public List<long> BadOutputs { get; } = [];

    /// <summary>The stage that the journal is of, where that is another one.</summary>
    public StageId? Owner { get; private set; }

    /// <summary>The version of a journal that is newer than what is known.</summary>
    public long? TooNew { get; private set; }

    /// <summary>Reads the journal.</summary>
    /// <param name="progress">Told the bytes that were read.</param>
    /// <param name="visit">Shown each piece of a line, without its line feed, and whether it is good.</param>
    /// <param name="cancellation">Ends it.</param>
    public void Run(Action<long>? progress, Action<ReadOnlyMemory<byte>, bool>? visit, CancellationToken cancellation)
    {
        using var journal = files.OpenRead(Path.Join(folder, FolderLayout.ItemsName));
        if (journal is null)
            return;
        using (_outputs = OpenOutputs())
        {
            var (number, read) = (0L, 0L);
            foreach (var (line, _) in LineFile.Lines(files, journal, ItemFormat.MaxLine))
            {
                cancellation.ThrowIfCancellationRequested();
                number++;
                IsLastTorn = false;
                foreach (var piece in ItemFormat.Pieces(line))
                {
                    var isGood = Judge(piece, number, cancellation);
                    if (TooNew is not null)
                        return;
                    visit?.Invoke(piece, isGood);
                }
                progress?.Invoke(read += line.Length + 1);
            }
        }
    }

    private bool Judge(ReadOnlyMemory<byte> piece, long number, CancellationToken cancellation)
    {
        if (piece.IsEmpty)
            return true;
        if (!ItemFormat.IsWhole(piece.Span))
        {
            // The last byte of a line is its brace, which what was cut off lacks.
            IsLastTorn = !piece.Span.EndsWith("}"u8);
            (IsLastTorn ? Torn : Damaged).Add(number);
            return false;
        }
        if (ItemFormat.TryParse(piece.Span, out _, out _, out var hasOutput))
        {
            if (!hasOutput || IsOutputWhole(piece, cancellation))
                return true;
            BadOutputs.Add(number);
            return false;
        }
        if (ItemFormat.VersionOf(piece.Span) is > ItemFormat.Version and var version)
            TooNew = version;
        else if (ItemFormat.ReadHead(piece) is { } stage && FolderLayout.StagePath(root, stage) != folder)
            Owner = stage;
        return true;
    }

    private bool IsOutputWhole(ReadOnlyMemory<byte> line, CancellationToken cancellation)
    {
        try
        {
            // An output that is encrypted, whichever way, is judged by its bytes alone.
            var (state, offset) = ItemFormat.ReadOutput(line);
            if (state.Payload is null)
                return true;
            if (_outputs is null || offset < 0 || state.PayloadLength < 0 || offset > RandomAccess.GetLength(_outputs) - state.PayloadLength)
                return false;
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[Math.Min(ReadSize, state.PayloadLength)];
            for (var done = 0L; done < state.PayloadLength;)
            {
                cancellation.ThrowIfCancellationRequested();
                var read = files.Read(_outputs, buffer.AsSpan(0, (int)Math.Min(buffer.Length, state.PayloadLength - done)), offset + done);
                if (read == 0)
                    return false;
                hash.AppendData(buffer, 0, read);
                done += read;
            }
            return hash.GetHashAndReset().AsSpan().SequenceEqual(state.Sha256);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private SafeFileHandle? OpenOutputs()
    {
        var path = Path.Join(folder, FolderLayout.ItemOutputsName);
        return files.Status(path) is { Type: EntryType.File } ? files.OpenRead(path) : null;
    }
}
