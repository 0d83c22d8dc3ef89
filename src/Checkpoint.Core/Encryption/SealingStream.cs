namespace Checkpoint;

/// <summary>A write-only stream that hands on, in encrypted chunks, what is written to it. No more than a chunk is held.</summary>
/// <param name="cipher">Encrypts.</param>
/// <param name="next">Takes the encrypted chunks.</param>
internal sealed class SealingStream(ChunkCipher cipher, SealingStream.Sink next) : OneWayStream
{
    private readonly byte[] _sealed = new byte[ChunkCipher.SealedSize];
    private readonly byte[] _plain = new byte[ChunkCipher.ChunkSize];
    private int _filled;

    /// <summary>Takes bytes.</summary>
    public delegate void Sink(ReadOnlySpan<byte> bytes);

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        // A chunk is held until more comes: it may be the last.
        while (_filled + buffer.Length > _plain.Length)
        {
            if (_filled == 0)
            {
                Hand(buffer[.._plain.Length], isLast: false);
                buffer = buffer[_plain.Length..];
                continue;
            }
            var room = _plain.Length - _filled;
            buffer[..room].CopyTo(_plain.AsSpan(_filled));
            buffer = buffer[room..];
            Hand(_plain, isLast: false);
            _filled = 0;
        }
        buffer.CopyTo(_plain.AsSpan(_filled));
        _filled += buffer.Length;
    }

    /// <summary>Writes the last chunk.</summary>
    public void Complete() => Hand(_plain.AsSpan(0, _filled), isLast: true);

    protected override void Dispose(bool disposing)
    {
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(_plain);
        base.Dispose(disposing);
    }

    private void Hand(ReadOnlySpan<byte> plain, bool isLast)
    {
        var chunk = _sealed.AsSpan(0, plain.Length + ChunkCipher.TagSize);
        cipher.Seal(plain, isLast, chunk);
        next(chunk);
    }
}
