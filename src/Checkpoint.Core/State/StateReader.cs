using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>
/// Gives a saved state to its decoder: first the document, piece by piece, then the blobs in their order. Everything read is hashed on the way, and
/// <see cref="Complete"/> says whether it is what was saved; until then nothing may be given to a user.
/// </summary>
internal sealed class StateReader : IDisposable
{
    private const int ReadSize = 1 << 20;

    private readonly StoredState _state;
    private readonly Stream? _payload;
    private readonly Action<long>? _progress;
    private readonly IncrementalHash? _hash;
    private int _inlineRead;
    private long _read;
    private bool? _isWhole;

    /// <param name="state">What the record says.</param>
    /// <param name="payload">The payload, exactly <see cref="StoredState.PayloadLength"/> bytes long; null where the state is inline.</param>
    /// <param name="progress">Told the number of payload bytes read so far, on the reading thread.</param>
    /// <param name="isAuthentic">Whether the payload itself refuses, with an <see cref="InvalidDataException"/>, to give what was not saved; then no hash is looked at.</param>
    public StateReader(StoredState state, Stream? payload, Action<long>? progress = null, bool isAuthentic = false)
    {
        _state = state;
        _payload = payload;
        _progress = progress;
        _hash = payload is null || isAuthentic ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    }

    public bool IsSequence => _state.IsSequence;

    /// <summary>How many bytes of blobs follow the document: no blob can be longer.</summary>
    public long BlobsLength => _state.Payload is null ? 0 : _state.PayloadLength - _state.DocumentLength;

    /// <summary>Reads on in the document.</summary>
    /// <returns>The number of bytes, 0 at the document's end.</returns>
    public int ReadDocument(Span<byte> buffer)
    {
        if (_payload is null)
        {
            var piece = _state.Inline.Span[_inlineRead..];
            piece = piece[..Math.Min(piece.Length, buffer.Length)];
            piece.CopyTo(buffer);
            _inlineRead += piece.Length;
            return piece.Length;
        }
        var rest = Math.Min(buffer.Length, _state.DocumentLength - _read);
        return rest == 0 ? 0 : ReadSome(buffer[..(int)rest]);
    }

    /// <summary>Reads the next blob in full; the document must have been read.</summary>
    public void ReadBlob(Memory<byte> destination, CancellationToken cancellation)
    {
        for (var done = 0; done < destination.Length;)
        {
            cancellation.ThrowIfCancellationRequested();
            done += ReadSome(destination.Span.Slice(done, Math.Min(ReadSize, destination.Length - done)));
        }
    }

    /// <summary>Checks that all was read and that it is what was saved.</summary>
    /// <exception cref="InvalidDataException">It is not.</exception>
    public void Complete()
    {
        if (_payload is null)
            return;
        if (_read != _state.PayloadLength)
            throw new InvalidDataException("the payload holds more than its document refers to");
        if (!IsWhole())
            throw new InvalidDataException(_hash is null ? "its encrypted state was changed" : "the payload's SHA-256 is not that of the save");
    }

    /// <summary>Whether the bytes are those that were saved, whatever a decoder made of them; reads what it left.</summary>
    public bool IsWhole()
    {
        // An inline state was judged with its record.
        if (_payload is null)
            return true;
        var rest = new byte[Math.Min(ReadSize, _state.PayloadLength - _read)];
        try
        {
            while (_isWhole is null && _read < _state.PayloadLength)
            {
                if (!TryReadSome(rest, out _))
                    _isWhole = false;
            }
            // What vouches for itself does so at its end.
            return _isWhole ??= _hash is null ? _payload.Read(new byte[1]) == 0 : _hash.GetHashAndReset().AsSpan().SequenceEqual(_state.Sha256);
        }
        catch (InvalidDataException)
        {
            return (_isWhole = false).Value;
        }
    }

    public void Dispose()
    {
        _payload?.Dispose();
        _hash?.Dispose();
    }

    private int ReadSome(Span<byte> buffer) => TryReadSome(buffer, out var read) ? read : throw new InvalidDataException("the payload ends too early");

    private bool TryReadSome(Span<byte> buffer, out int read)
    {
        read = _payload!.Read(buffer);
        if (read == 0)
            return false;
        _hash?.AppendData(buffer[..read]);
        _read += read;
        _progress?.Invoke(_read);
        return true;
    }
}
