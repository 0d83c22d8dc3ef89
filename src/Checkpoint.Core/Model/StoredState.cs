namespace Checkpoint;

/// <summary>How a record keeps its state: in itself, or in a payload beside it.</summary>
/// <remarks>A state is one JSON document followed by the blobs (long arrays and strings) that the document refers to by offset and length.</remarks>
internal sealed class StoredState
{
    /// <summary>True for piped input, which comes back element by element.</summary>
    public required bool IsSequence { get; init; }

    /// <summary>The document itself where it is small and has no blobs; else empty.</summary>
    public ReadOnlyMemory<byte> Inline { get; init; }

    /// <summary>The payload's name in the store, or null where the state is inline.</summary>
    public string? Payload { get; init; }

    /// <summary>The payload's length in bytes.</summary>
    public long PayloadLength { get; init; }

    /// <summary>How many bytes of the payload are the document; the blobs follow.</summary>
    public long DocumentLength { get; init; }

    /// <summary>SHA-256 of the whole payload.</summary>
    public byte[] Sha256 { get; init; } = [];

    /// <summary>The same with another name of the payload.</summary>
    public StoredState Named(string payload) => new() { IsSequence = IsSequence, Payload = payload, PayloadLength = PayloadLength, DocumentLength = DocumentLength, Sha256 = Sha256 };

    public long Size => Payload is null ? Inline.Length : PayloadLength;
}
