using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>A read-only stream of what was encrypted in chunks: each byte that it gives stood where it was written. That none is missing is known at the end.</summary>
/// <param name="state">The encrypted state; closed with this.</param>
/// <param name="sealedLength">Its length in bytes.</param>
/// <param name="cipher">Decrypts; closed with this.</param>
internal sealed class OpeningStream(StateReader state, long sealedLength, ChunkCipher cipher) : OneWayStream
{
    private readonly byte[] _sealed = new byte[ChunkCipher.SealedSize];
    private readonly byte[] _plain = new byte[ChunkCipher.ChunkSize];
    private Memory<byte> _unread;
    private long _rest = sealedLength;
    private InvalidDataException? _fault;

    /// <exception cref="InvalidDataException">The next chunk is not what was written. So says every read after that.</exception>
    public override int Read(Span<byte> buffer)
    {
        if (_fault is not null)
            throw new InvalidDataException(_fault.Message, _fault);
        try
        {
            if (_unread.IsEmpty && _rest > 0 && buffer.Length >= ChunkCipher.ChunkSize)
                return Next(buffer);
            if (_unread.IsEmpty && _rest > 0)
                _unread = _plain.AsMemory(0, Next(_plain));
        }
        catch (InvalidDataException e)
        {
            _fault = e;
            throw;
        }
        var given = Math.Min(buffer.Length, _unread.Length);
        _unread.Span[..given].CopyTo(buffer);
        _unread = _unread[given..];
        return given;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            CryptographicOperations.ZeroMemory(_plain);
            state.Dispose();
            cipher.Dispose();
        }
        base.Dispose(disposing);
    }

    private int Next(Span<byte> plain)
    {
        var chunk = _sealed.AsSpan(0, (int)Math.Min(_rest, _sealed.Length));
        for (int filled = 0, read; filled < chunk.Length; filled += read)
        {
            if ((read = state.ReadDocument(chunk[filled..])) == 0)
                throw new InvalidDataException("its encrypted state ends too early");
        }
        _rest -= chunk.Length;
        cipher.Open(chunk, isLast: _rest == 0, plain);
        if (_rest == 0)
            state.Complete();
        return chunk.Length - ChunkCipher.TagSize;
    }
}
