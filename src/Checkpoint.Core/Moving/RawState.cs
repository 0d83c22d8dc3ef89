namespace Checkpoint;

/// <summary>A saved state that is saved once more elsewhere, byte for byte as its store keeps it, encrypted or not. No more than a piece of it is held.</summary>
/// <param name="state">What its record says of it.</param>
/// <param name="payload">Its payload; null where it lies in the record.</param>
internal sealed class RawState(StoredState state, StateReader payload) : IStateSource
{
    private const int PieceSize = 1 << 20;

    public bool IsSequence => state.IsSequence;

    /// <exception cref="InvalidDataException">It is not what its record says; nothing is committed then.</exception>
    public void WriteTo(StateWriter writer, CancellationToken cancellation)
    {
        if (state.Payload is null)
        {
            state.Inline.Span.CopyTo(writer.GetSpan(state.Inline.Length));
            writer.Advance(state.Inline.Length);
            return;
        }
        var piece = new byte[(int)Math.Min(PieceSize, Math.Max(state.PayloadLength, 1))];
        for (int read; (read = payload.ReadDocument(piece)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            writer.WriteThrough(piece.AsSpan(0, read));
        }
        for (var left = payload.BlobsLength; left > 0;)
        {
            var part = piece.AsMemory(0, (int)Math.Min(piece.Length, left));
            payload.ReadBlob(part, cancellation);
            writer.WriteBlobThrough(part.Span);
            left -= part.Length;
        }
        payload.Complete();
    }
}
