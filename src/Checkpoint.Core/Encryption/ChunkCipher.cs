using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>
/// Encrypts a stream chunk by chunk, so that none can be changed, moved, left out or added, and the stream cannot be cut: the STREAM construction of Hoang, Reyhanitabar,
/// Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance" (CRYPTO 2015), with AES-256-GCM (NIST SP 800-38D).
/// </summary>
/// <remarks>The nonce is the chunk's number, 11 bytes big-endian from 0 up, and a byte that is 1 for the last chunk. It never comes twice, for each stream has a key of its own.</remarks>
internal sealed class ChunkCipher(byte[] key) : IDisposable
{
    /// <summary>The plain bytes of each chunk but the last, which has 0 to so many.</summary>
    public const int ChunkSize = 64 * 1024;

    public const int TagSize = 16;

    public const int SealedSize = ChunkSize + TagSize;

    private const int NonceSize = 12;

    private readonly AesGcm _aes = new(key, TagSize);
    private ulong _number;

    /// <summary>The length of what was encrypted.</summary>
    /// <exception cref="InvalidDataException">Nothing encrypted has this length.</exception>
    public static long PlainLength(long sealedLength)
    {
        var (full, rest) = Math.DivRem(sealedLength, SealedSize);
        // Only of nothing at all is the last chunk empty.
        if (sealedLength < TagSize || rest is > 0 and < TagSize || (rest == TagSize && full > 0))
            throw new InvalidDataException("its encrypted state has a length that none has");
        return (full * ChunkSize) + (rest == 0 ? 0 : rest - TagSize);
    }

    /// <summary>Encrypts the next chunk.</summary>
    /// <param name="plain">Its plain bytes.</param>
    /// <param name="isLast">Whether it is the last one.</param>
    /// <param name="destination">As many bytes and <see cref="TagSize"/>.</param>
    public void Seal(ReadOnlySpan<byte> plain, bool isLast, Span<byte> destination) =>
        _aes.Encrypt(NextNonce(stackalloc byte[NonceSize], isLast), plain, destination[..plain.Length], destination.Slice(plain.Length, TagSize));

    /// <summary>Decrypts the next chunk.</summary>
    /// <exception cref="InvalidDataException">It is not the one that was written there.</exception>
    public void Open(ReadOnlySpan<byte> chunk, bool isLast, Span<byte> destination)
    {
        var plain = chunk.Length - TagSize;
        try
        {
            _aes.Decrypt(NextNonce(stackalloc byte[NonceSize], isLast), chunk[..plain], chunk[plain..], destination[..plain]);
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new InvalidDataException("its encrypted state was changed", e);
        }
    }

    public void Dispose() => _aes.Dispose();

    private Span<byte> NextNonce(Span<byte> nonce, bool isLast)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[3..], _number++);
        nonce[^1] = isLast ? (byte)1 : (byte)0;
        return nonce;
    }
}
