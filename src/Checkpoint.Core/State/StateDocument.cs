using System.Buffers;
using System.Runtime.InteropServices;

namespace Checkpoint;

/// <summary>
/// A saved state as its document, for who has no objects of PowerShell to make of it. The document is held; the blobs are read when they are written out, in pieces.
/// </summary>
/// <param name="bytes">The document.</param>
/// <param name="isSequence">Whether it comes back element by element.</param>
/// <param name="blobsLength">How many bytes of blobs there are.</param>
/// <param name="hasSecrets">Whether there is a secret in it.</param>
internal sealed class StateDocument(ReadOnlyMemory<byte> bytes, bool isSequence, long blobsLength, bool hasSecrets)
{
    private const int PieceSize = 1 << 20;

    public ReadOnlySpan<byte> Bytes => bytes.Span;

    public bool IsSequence => isSequence;

    public bool HasBlobs => blobsLength > 0;

    /// <summary>Reads a state through: the document is kept, the blobs are only read, so that the reader can vouch for them.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static StateDocument Read(StateReader reader, CancellationToken cancellation)
    {
        var document = new ArrayBufferWriter<byte>();
        for (int read; (read = reader.ReadDocument(document.GetSpan(1 << 16))) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            document.Advance(read);
        }
        var memory = document.WrittenMemory;
        // Judged by itself: a fault of the form must be told before anything is written out.
        var whole = new StoredState { IsSequence = reader.IsSequence, Payload = "", DocumentLength = memory.Length, PayloadLength = memory.Length + reader.BlobsLength };
        MemoryMarshal.TryGetArray(memory, out var array);
        using var judged = new StateReader(whole, new MemoryStream(array.Array ?? [], array.Offset, array.Count, writable: false), isAuthentic: true);
        var state = new StateDocument(memory, reader.IsSequence, reader.BlobsLength, StateCheck.Check(judged, cancellation));
        Pass(reader, reader.BlobsLength, cancellation);
        return state;
    }

    /// <summary>Writes it as plain JSON: numbers as numbers, what has no form in JSON as its text, a sequence as an array.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="open">Opens the same state anew, where it has blobs.</param>
    /// <param name="cancellation">Ends the writing.</param>
    /// <exception cref="InvalidArgumentException">There is a secret in it.</exception>
    public void WritePlain(Stream output, Func<StateReader> open, CancellationToken cancellation)
    {
        RefuseSecrets();
        Write(output, open, static (document, blobs, output) => PlainJson.Write(document.Bytes, blobs, output), cancellation);
    }

    /// <summary>Writes it as its exact document, the blobs in their places, so that <see cref="TypedState"/> takes it back.</summary>
    /// <inheritdoc cref="WritePlain"/>
    public void WriteTyped(Stream output, Func<StateReader> open, CancellationToken cancellation) =>
        Write(output, open, static (document, blobs, output) => TypedJson.Write(document.Bytes, document.IsSequence, blobs, output), cancellation);

    /// <summary>Writes a <c>byte[]</c> as its bytes and a text as its text; of a list each text, and what is none as JSON, on a line of its own.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="lines">How lines end.</param>
    /// <param name="open">Opens the same state anew, where it has blobs.</param>
    /// <param name="cancellation">Ends the writing.</param>
    /// <exception cref="InvalidArgumentException">There is a secret in it.</exception>
    public void WriteRaw(Stream output, LineEnding lines, Func<StateReader> open, CancellationToken cancellation)
    {
        RefuseSecrets();
        Write(output, open, (document, blobs, output) => PlainJson.WriteRaw(document.Bytes, blobs, output, lines), cancellation);
    }

    private void Write(Stream output, Func<StateReader> open, Action<StateDocument, BlobReader, Stream> write, CancellationToken cancellation)
    {
        using var buffered = new BufferedStream(new Unclosed(output), 1 << 16);
        if (!HasBlobs)
        {
            write(this, new BlobReader(null, cancellation), buffered);
            return;
        }
        using var reader = open();
        var again = new byte[bytes.Length];
        for (var at = 0; at < again.Length;)
        {
            var read = reader.ReadDocument(again.AsSpan(at));
            at += read > 0 ? read : throw new InvalidDataException("the state was changed while it was read");
        }
        if (reader.BlobsLength != blobsLength || !again.AsSpan().SequenceEqual(bytes.Span))
            throw new InvalidDataException("the state was changed while it was read");
        var blobs = new BlobReader(reader, cancellation);
        write(this, blobs, buffered);
        blobs.PassTo(blobsLength);
        reader.Complete();
    }

    // Who shows a state does not mean its secrets to be read over the shoulder.
    private void RefuseSecrets()
    {
        if (hasSecrets)
            throw new InvalidArgumentException("The state holds a SecureString or a PSCredential, which is not shown as plain JSON. Restore it in PowerShell, or as its exact document, in which the secret stands, with --typed.");
    }

    private static void Pass(StateReader reader, long length, CancellationToken cancellation)
    {
        var piece = new byte[(int)Math.Min(PieceSize, length)];
        for (var left = length; left > 0; left -= Math.Min(piece.Length, left))
            reader.ReadBlob(piece.AsMemory(0, (int)Math.Min(piece.Length, left)), cancellation);
    }

    // What is written to is the caller's, who closes it.
    private sealed class Unclosed(Stream inner) : OneWayStream
    {
        public override bool CanWrite => true;

        public override void Write(ReadOnlySpan<byte> buffer) => inner.Write(buffer);

        public override void Flush() => inner.Flush();
    }
}
