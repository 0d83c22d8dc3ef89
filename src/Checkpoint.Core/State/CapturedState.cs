namespace Checkpoint;

/// <summary>A state in memory of its own: what is done to its objects afterwards does not reach it.</summary>
internal sealed class CapturedState : IStateSource, IDisposable
{
    private readonly IReadOnlyList<byte[]> _document;
    private readonly IReadOnlyList<ReadOnlyMemory<byte>> _blobs;
    private readonly IReadOnlyList<Memory<byte>> _memory;

    /// <param name="isSequence">Whether it comes back element by element.</param>
    /// <param name="document">The document, in pieces.</param>
    /// <param name="blobs">The blobs, in their order.</param>
    /// <param name="memory">What of <see cref="CaptureMemory"/> the blobs lie in.</param>
    public CapturedState(bool isSequence, IReadOnlyList<byte[]> document, IReadOnlyList<ReadOnlyMemory<byte>> blobs, IReadOnlyList<Memory<byte>> memory)
    {
        IsSequence = isSequence;
        _document = document;
        _blobs = blobs;
        _memory = memory;
    }

    public bool IsSequence { get; }

    /// <summary>Has a state written into memory, on this thread.</summary>
    public static CapturedState Take(IStateSource source, CancellationToken cancellation)
    {
        using var capture = new StateCapture(cancellation);
        source.WriteTo(capture, cancellation);
        cancellation.ThrowIfCancellationRequested();
        return capture.End(source.IsSequence);
    }

    public void WriteTo(StateWriter writer, CancellationToken cancellation)
    {
        foreach (var piece in _document)
        {
            cancellation.ThrowIfCancellationRequested();
            piece.CopyTo(writer.GetSpan(piece.Length));
            writer.Advance(piece.Length);
        }
        foreach (var blob in _blobs)
            writer.AddBlob(blob, isConstant: true);
    }

    /// <summary>Gives the memory to the next capture.</summary>
    public void Dispose()
    {
        foreach (var memory in _memory)
            CaptureMemory.Return(memory);
    }
}
