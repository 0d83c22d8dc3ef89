namespace Checkpoint;

/// <summary>Reads the blobs of a state one behind the other; what lies between may be passed over.</summary>
/// <param name="reader">The state, whose document was read; null where it has no blobs.</param>
/// <param name="cancellation">Ends the reading.</param>
internal sealed class BlobReader(StateReader? reader, CancellationToken cancellation)
{
    // Of whole items of any type, and of whole groups of base64.
    private const int PieceSize = 48 * 4096;

    private readonly byte[] _piece = new byte[reader is null ? 0 : PieceSize];
    private long _at;

    /// <summary>The bytes of a blob, in pieces of a multiple of 48 but for the last. Each counts until the next is asked for.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Read(long offset, long length)
    {
        PassTo(offset);
        for (var left = length; left > 0;)
        {
            var piece = _piece.AsMemory(0, (int)Math.Min(PieceSize, left));
            reader!.ReadBlob(piece, cancellation);
            _at += piece.Length;
            left -= piece.Length;
            yield return piece;
        }
    }

    /// <summary>Reads on to a place, and leaves what lies before it.</summary>
    public void PassTo(long offset)
    {
        while (_at < offset)
        {
            var piece = _piece.AsMemory(0, (int)Math.Min(PieceSize, offset - _at));
            reader!.ReadBlob(piece, cancellation);
            _at += piece.Length;
        }
    }
}
