namespace Checkpoint;

/// <summary>
/// Writes a state into memory: its document in pieces, and copies of the blobs that may change, which lie in memory as they will in the payload. Nothing is hashed here; that is
/// done when it is saved.
/// </summary>
internal sealed class StateCapture(CancellationToken cancellation) : StateWriter(() => throw new InvalidOperationException("A capture has no payload."))
{
    // A copy of a large array is left half-way by Ctrl+C.
    private const int CopySize = 64 << 20;

    private readonly List<byte[]> _document = [];

    public CapturedState End(bool isSequence)
    {
        Spill();
        var memory = new List<Memory<byte>>();
        var blobs = new List<ReadOnlyMemory<byte>>();
        var position = _document.Sum(piece => (long)piece.Length);
        foreach (var (blob, isConstant) in Blobs)
        {
            if (!isConstant)
                memory.Add(Copy(blob, position));
            blobs.Add(isConstant ? blob : memory[^1]);
            position += blob.Length;
        }
        return new CapturedState(isSequence, _document, blobs, memory);
    }

    protected override void SpillTo(ReadOnlySpan<byte> document) => _document.Add(document.ToArray());

    private Memory<byte> Copy(ReadOnlyMemory<byte> blob, long position)
    {
        var copy = CaptureMemory.Rent(blob.Length, position);
        for (var at = 0; at < blob.Length; at += CopySize)
        {
            cancellation.ThrowIfCancellationRequested();
            var size = Math.Min(CopySize, blob.Length - at);
            blob.Span.Slice(at, size).CopyTo(copy.Span[at..]);
        }
        return copy;
    }
}
