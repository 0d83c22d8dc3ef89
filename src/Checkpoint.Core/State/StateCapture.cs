namespace Checkpoint;

/// <summary>Writes a state into memory: its document in pieces, and copies of the blobs that may change. Nothing is hashed here; that is done when it is saved.</summary>
internal sealed class StateCapture(CancellationToken cancellation) : StateWriter(() => throw new InvalidOperationException("A capture has no payload."))
{
    // A copy of a large array is left half-way by Ctrl+C.
    private const int CopySize = 64 << 20;

    private readonly List<byte[]> _document = [];
    private readonly List<byte[]> _memory = [];

    public CapturedState End(bool isSequence)
    {
        Spill();
        return new CapturedState(isSequence, _document, Blobs, _memory);
    }

    protected override void SpillTo(ReadOnlySpan<byte> document) => _document.Add(document.ToArray());

    protected override ReadOnlyMemory<byte> Hold(ReadOnlyMemory<byte> blob)
    {
        var copy = CaptureMemory.Rent(blob.Length);
        _memory.Add(copy);
        for (var at = 0; at < blob.Length; at += CopySize)
        {
            cancellation.ThrowIfCancellationRequested();
            var size = Math.Min(CopySize, blob.Length - at);
            blob.Span.Slice(at, size).CopyTo(copy.AsSpan(at));
        }
        return copy.AsMemory(0, blob.Length);
    }
}
