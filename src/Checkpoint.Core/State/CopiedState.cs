namespace Checkpoint;

/// <summary>A saved state to be saved once more, byte for byte.</summary>
/// <param name="reader">The saved state; read to its end and checked before anything of it is committed.</param>
internal sealed class CopiedState(StateReader reader) : IStateSource
{
    private const int PieceSize = 1 << 16;

    public bool IsSequence => reader.IsSequence;

    public void WriteTo(StateWriter writer, CancellationToken cancellation)
    {
        for (int read; (read = reader.ReadDocument(writer.GetSpan(PieceSize)[..PieceSize])) > 0;)
            writer.Advance(read);
        var blobs = new byte[reader.BlobsLength];
        reader.ReadBlob(blobs, cancellation);
        reader.Complete();
        if (blobs.Length > 0)
            writer.AddBlob(blobs);
    }
}
