using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>Reads a journal of items through, line by line, and says which lines, and which of the outputs that they name, are not what was written.</summary>
/// <param name="files">The file system.</param>
/// <param name="node">The journal.</param>
/// <param name="root">The store's folder.</param>
/// <param name="key">What opens the outputs that are encrypted; null where their bytes alone are judged.</param>
internal sealed class ItemsCheck(FileSystem files, FolderNode node, string root, CheckpointKey? key)
{
    private const int ReadSize = 1 << 20;

    private readonly Dictionary<string, SafeFileHandle?> _outputs = [];
    private StageId? _stage = node.Stage;

    /// <summary>The lines that are damaged, from 1.</summary>
    public List<long> Damaged { get; } = [];

    /// <summary>The lines that a crash cut off.</summary>
    public List<long> Torn { get; } = [];

    /// <summary>Whether the last line is such a one.</summary>
    public bool IsLastTorn { get; private set; }

    /// <summary>The lines whose outputs are damaged.</summary>
    public List<long> BadOutputs { get; } = [];

    /// <summary>The lines whose outputs another key opens.</summary>
    public List<long> Locked { get; } = [];

    /// <summary>The lines whose outputs are not encrypted though there is a key.</summary>
    public List<long> Plain { get; } = [];

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
        using var journal = files.OpenRead(node.Path);
        if (journal is null)
            return;
        try
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
        finally
        {
            foreach (var outputs in _outputs.Values)
                outputs?.Dispose();
            _outputs.Clear();
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
        if (ItemFormat.TryParse(piece.Span, out var id, out _, out var hasOutput))
        {
            if (!hasOutput || IsOutputWhole(piece, id, number, cancellation))
                return true;
            BadOutputs.Add(number);
            return false;
        }
        if (ItemFormat.VersionOf(piece.Span) is > ItemFormat.Version and var version)
            TooNew = version;
        else if (ItemFormat.ReadHead(piece) is { } stage)
            _ = FolderLayout.StagePath(root, stage) == node.Folder ? _stage = stage : Owner = stage;
        return true;
    }

    private bool IsOutputWhole(ReadOnlyMemory<byte> line, ItemId id, long number, CancellationToken cancellation)
    {
        try
        {
            var output = ItemFormat.ReadOutput(line);
            return AreBytesWhole(output, cancellation) && (key is null || IsAuthentic(output, id, number, cancellation));
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private bool IsAuthentic(ItemOutput output, ItemId id, long number, CancellationToken cancellation)
    {
        // Where nothing tells the stage's name any more, the bytes are all that can be judged.
        if (output.Encryption is not { } envelope || _stage is not { } stage)
        {
            if (output.Encryption is null)
                Plain.Add(number);
            return true;
        }
        using var dataKey = DataKey.Unwrap(key, envelope, () => SealedIdentity.OfItem(stage, id, output.State, envelope.DocumentLength));
        if (dataKey is null)
        {
            Locked.Add(number);
            return true;
        }
        var outputs = output.State.Payload is null ? null : new PayloadStream(files, Outputs(output.State.Payload)!, leaveOpen: true) { Start = output.Offset, End = output.Offset + output.State.PayloadLength };
        var sealedOutput = new StateReader(output.State, outputs, _ => cancellation.ThrowIfCancellationRequested());
        using var plain = KeyedStore.OpenState(sealedOutput, output.State, envelope.DocumentLength, dataKey);
        return plain.IsWhole();
    }

    private bool AreBytesWhole(ItemOutput output, CancellationToken cancellation)
    {
        var (state, offset) = output;
        if (state.Payload is null)
            return true;
        if (Outputs(state.Payload) is not { } outputs || offset < 0 || state.PayloadLength < 0 || offset > RandomAccess.GetLength(outputs) - state.PayloadLength)
            return false;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[Math.Min(ReadSize, state.PayloadLength)];
        for (var done = 0L; done < state.PayloadLength;)
        {
            cancellation.ThrowIfCancellationRequested();
            var read = files.Read(outputs, buffer.AsSpan(0, (int)Math.Min(buffer.Length, state.PayloadLength - done)), offset + done);
            if (read == 0)
                return false;
            hash.AppendData(buffer, 0, read);
            done += read;
        }
        return hash.GetHashAndReset().AsSpan().SequenceEqual(state.Sha256);
    }

    private SafeFileHandle? Outputs(string name)
    {
        if (!_outputs.TryGetValue(name, out var file))
        {
            var path = Path.Join(node.Folder, name);
            _outputs[name] = file = files.Status(path) is { Type: EntryType.File } ? files.OpenRead(path) : null;
        }
        return file;
    }
}
