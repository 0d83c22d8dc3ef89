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

    public bool CanRepeat => true;

    /// <summary>Has a state written into memory, on this thread.</summary>
    /// <param name="source">The state.</param>
    /// <param name="keepsSecrets">Whether it will be encrypted when it leaves the memory.</param>
    /// <param name="cancellation">Ends the writing.</param>
    public static CapturedState Take(IStateSource source, bool keepsSecrets, CancellationToken cancellation)
    {
        using var capture = new StateCapture(cancellation) { KeepsSecrets = keepsSecrets };
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

    /// <summary>Gives the memory to the next capture. The document, in which secrets may be, is overwritten; arrays and long texts are as they are in the script's own memory.</summary>
    public void Dispose()
    {
        foreach (var piece in _document)
            Array.Clear(piece);
        foreach (var memory in _memory)
            CaptureMemory.Return(memory);
    }
}
