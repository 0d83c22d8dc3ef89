namespace Checkpoint;

/// <summary>A state that writes itself encrypted, so that a store never has anything else.</summary>
/// <param name="source">The state.</param>
/// <param name="key">Its data key.</param>
internal sealed class SealedState(IStateSource source, DataKey key) : IStateSource
{
    public bool IsSequence => source.IsSequence;

    /// <summary>How many of the plain bytes are the document; known once it was written.</summary>
    public long DocumentLength { get; private set; }

    public void WriteTo(StateWriter writer, CancellationToken cancellation)
    {
        using var cipher = key.StateCipher();
        SealingStream? stream = null;
        using var plain = new StateWriter(() => stream = new SealingStream(cipher, writer.WriteThrough), hashes: false) { KeepsSecrets = true };
        source.WriteTo(plain, cancellation);
        var state = plain.Complete(source.IsSequence, cancellation);
        DocumentLength = state.Payload is null ? state.Inline.Length : state.DocumentLength;
        if (stream is not null)
        {
            stream.Complete();
            return;
        }
        // What is small is one chunk, and stays in the record.
        var size = state.Inline.Length + ChunkCipher.TagSize;
        cipher.Seal(state.Inline.Span, isLast: true, writer.GetSpan(size));
        writer.Advance(size);
    }
}
