using System.Buffers;
using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>
/// Collects a state while it is being written: one JSON document, then the blobs the document refers to. A small document without blobs stays in
/// memory and goes into the record; anything else is streamed to a payload, which is opened at the first need. Nothing is held twice: blobs are written
/// from the memory they lie in.
/// </summary>
internal class StateWriter : IBufferWriter<byte>, IDisposable
{
    /// <summary>The longest document, in bytes, that stays inside the record.</summary>
    public const int InlineLimit = 64 * 1024;

    /// <summary>Arrays and strings of at least this many bytes are blobs.</summary>
    public const int BlobThreshold = 16 * 1024;

    private const int WriteSize = 1 << 20;

    private readonly Func<Stream> _openPayload;
    private readonly Action<long>? _progress;
    private readonly List<(ReadOnlyMemory<byte> Bytes, bool IsConstant)> _blobs = [];
    private readonly IncrementalHash? _hash;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InlineLimit);
    private int _filled;
    private Stream? _payload;
    private long _documentLength;
    private long _blobLength;
    private long _written;

    /// <param name="openPayload">Opens the payload's stream; called at most once.</param>
    /// <param name="progress">Told the number of payload bytes written so far, on the writing thread.</param>
    /// <param name="hashes">Whether the SHA-256 of the payload is wanted.</param>
    public StateWriter(Func<Stream> openPayload, Action<long>? progress = null, bool hashes = true)
    {
        _hash = hashes ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        _openPayload = openPayload;
        _progress = progress;
    }

    /// <summary>Whether the payload could not be written, so that what is thrown is no fault of the state.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Whether what is written is encrypted, so that secrets may be among it.</summary>
    public bool KeepsSecrets { get; init; }

    public void Advance(int count)
    {
        _filled += count;
        _documentLength += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _buffer.AsMemory(_filled);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Adds a blob, which must not change until <see cref="Complete"/> returns.</summary>
    /// <param name="bytes">The blob.</param>
    /// <param name="isConstant">Whether nobody can ever change it, as with the characters of a string.</param>
    /// <returns>Its offset behind the document, to be written into the document.</returns>
    public long AddBlob(ReadOnlyMemory<byte> bytes, bool isConstant = false)
    {
        var offset = _blobLength;
        _blobs.Add((bytes, isConstant));
        _blobLength += bytes.Length;
        return offset;
    }

    /// <summary>Adds to the document bytes that go to the payload at once.</summary>
    public void WriteThrough(ReadOnlySpan<byte> document)
    {
        if (_filled > 0)
            Spill();
        SpillTo(document);
        _documentLength += document.Length;
    }

    /// <summary>Adds to the blobs bytes that go to the payload at once; the document is whole by then.</summary>
    public void WriteBlobThrough(ReadOnlySpan<byte> blob)
    {
        if (_filled > 0)
            Spill();
        SpillTo(blob);
    }

    /// <summary>Ends the state. The payload, where there is one, is written in full but not flushed.</summary>
    public StoredState Complete(bool isSequence, CancellationToken cancellation)
    {
        if (_payload is null && _blobs.Count == 0 && _filled <= InlineLimit && _written == 0)
            return new StoredState { IsSequence = isSequence, Inline = _buffer.AsMemory(0, _filled).ToArray() };

        Spill();
        foreach (var (blob, _) in _blobs)
            WriteBlob(blob, cancellation);
        return new StoredState
        {
            IsSequence = isSequence,
            Payload = "",
            DocumentLength = _documentLength,
            PayloadLength = _written,
            Sha256 = _hash?.GetHashAndReset() ?? [],
        };
    }

    public void Dispose()
    {
        _payload?.Dispose();
        _hash?.Dispose();
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: KeepsSecrets);
        _buffer = [];
    }

    private void Reserve(int size)
    {
        if (_buffer.Length - _filled >= size)
            return;
        // What may still go into the record is kept; the writer asks for more room than it will fill.
        var kept = _payload is null && _filled <= InlineLimit ? _filled : 0;
        if (kept == 0 && _filled > 0)
            Spill();
        if (_buffer.Length - kept >= size)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(kept + size);
        _buffer.AsSpan(0, kept).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer, clearArray: KeepsSecrets);
        _buffer = larger;
    }

    /// <summary>The blobs so far, and of each whether nobody can ever change it.</summary>
    protected IReadOnlyList<(ReadOnlyMemory<byte> Bytes, bool IsConstant)> Blobs => _blobs;

    /// <summary>Sends on what was gathered of the document.</summary>
    protected void Spill()
    {
        SpillTo(_buffer.AsSpan(0, _filled));
        _filled = 0;
    }

    /// <summary>Takes a part of the document.</summary>
    protected virtual void SpillTo(ReadOnlySpan<byte> document)
    {
        HasFailed = true;
        _payload ??= _openPayload();
        _payload.Write(document);
        HasFailed = false;
        _hash?.AppendData(document);
        Report(document.Length);
    }

    // The hash of one piece is computed while the next is written: with two cores hashing costs no time of its own.
    private void WriteBlob(ReadOnlyMemory<byte> blob, CancellationToken cancellation)
    {
        if (blob.Length <= WriteSize)
        {
            _payload!.Write(blob.Span);
            _hash?.AppendData(blob.Span);
            Report(blob.Length);
            return;
        }

        var hashing = _hash is null ? Task.CompletedTask : Task.Run(() =>
        {
            for (var at = 0; at < blob.Length && !cancellation.IsCancellationRequested; at += WriteSize)
                _hash.AppendData(blob.Span.Slice(at, Math.Min(WriteSize, blob.Length - at)));
        }, CancellationToken.None);
        try
        {
            // Each but the first begins at a multiple of the size in the payload.
            for (int at = 0, size; at < blob.Length; at += size)
            {
                cancellation.ThrowIfCancellationRequested();
                size = (int)Math.Min(WriteSize - _written % WriteSize, blob.Length - at);
                _payload!.Write(blob.Span.Slice(at, size));
                Report(size);
            }
            // What is written goes to the medium while the rest is still being hashed.
            _payload!.Flush();
        }
        finally
        {
            hashing.GetAwaiter().GetResult();
        }
        cancellation.ThrowIfCancellationRequested();
    }

    private void Report(int bytes)
    {
        _written += bytes;
        _progress?.Invoke(_written);
    }
}
