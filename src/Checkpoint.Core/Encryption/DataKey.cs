using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>The key of one checkpoint: fresh random bytes, which the record keeps wrapped. What is encrypted is encrypted with keys derived from it.</summary>
internal sealed class DataKey : IDisposable
{
    private const int NonceSize = 12;

    // Each key is derived for one use alone, so its nonce need not differ from others.
    private static readonly byte[] OnlyNonce = new byte[NonceSize];

    private readonly byte[] _key;

    private DataKey(byte[] key) => _key = key;

    public static DataKey New() => new(RandomNumberGenerator.GetBytes(CheckpointKey.Size));

    /// <summary>Gets the key back.</summary>
    /// <param name="root">The root of the key that wrapped it.</param>
    /// <param name="envelope">What the record keeps.</param>
    /// <param name="identity">What it was wrapped for.</param>
    /// <exception cref="InvalidDataException">It was wrapped for something else, or changed.</exception>
    public static DataKey Unwrap(byte[] root, Envelope envelope, byte[] identity)
    {
        var key = new byte[CheckpointKey.Size];
        try
        {
            Wrapping(root, aes => aes.Decrypt(envelope.Nonce, envelope.Wrapped.AsSpan(0, key.Length), envelope.Wrapped.AsSpan(key.Length), key, identity));
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new InvalidDataException("what it says of itself is not what was encrypted: its record was changed, or is that of another checkpoint", e);
        }
        return new DataKey(key);
    }

    /// <summary>Gets the key back.</summary>
    /// <param name="key">What wrapped it.</param>
    /// <param name="envelope">What the record keeps.</param>
    /// <param name="identity">What it was wrapped for.</param>
    /// <returns>Null where it was wrapped by another key.</returns>
    /// <exception cref="InvalidDataException">It was wrapped for something else, or changed.</exception>
    public static DataKey? Unwrap(CheckpointKey? key, Envelope envelope, Func<byte[]> identity)
    {
        if (key?.Find(envelope.Key) is not { } root)
            return null;
        try
        {
            return Unwrap(root, envelope, identity());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(root);
        }
    }

    /// <summary>Wraps the key with AES-256-GCM, so that it comes back only for the same identity.</summary>
    public (byte[] Nonce, byte[] Wrapped) Wrap(byte[] root, byte[] identity)
    {
        var nonce = RandomNumberGenerator.GetBytes(NonceSize);
        var wrapped = new byte[CheckpointKey.Size + ChunkCipher.TagSize];
        Wrapping(root, aes => aes.Encrypt(nonce, _key, wrapped.AsSpan(0, _key.Length), wrapped.AsSpan(_key.Length), identity));
        return (nonce, wrapped);
    }

    /// <summary>What encrypts the state, or decrypts it, from its beginning.</summary>
    public ChunkCipher StateCipher() => Using("checkpoint state", key => new ChunkCipher(key));

    public byte[] SealFacts(ReadOnlySpan<byte> plain)
    {
        var bytes = plain.ToArray();
        var facts = new byte[plain.Length + ChunkCipher.TagSize];
        return Using("checkpoint facts", key =>
        {
            using var aes = new AesGcm(key, ChunkCipher.TagSize);
            aes.Encrypt(OnlyNonce, bytes, facts.AsSpan(0, bytes.Length), facts.AsSpan(bytes.Length));
            return facts;
        });
    }

    /// <exception cref="InvalidDataException">They were changed.</exception>
    public byte[] OpenFacts(byte[] facts)
    {
        if (facts.Length < ChunkCipher.TagSize)
            throw new InvalidDataException("its encrypted metadata was cut");
        var plain = new byte[facts.Length - ChunkCipher.TagSize];
        return Using("checkpoint facts", key =>
        {
            try
            {
                using var aes = new AesGcm(key, ChunkCipher.TagSize);
                aes.Decrypt(OnlyNonce, facts.AsSpan(0, plain.Length), facts.AsSpan(plain.Length), plain);
                return plain;
            }
            catch (AuthenticationTagMismatchException e)
            {
                throw new InvalidDataException("its encrypted metadata was changed", e);
            }
        });
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_key);

    private static void Wrapping(byte[] root, Action<AesGcm> use)
    {
        Using(root, "checkpoint wrap", key =>
        {
            using var aes = new AesGcm(key, ChunkCipher.TagSize);
            use(aes);
            return true;
        });
    }

    private T Using<T>(string purpose, Func<byte[], T> use) => Using(_key, purpose, use);

    private static T Using<T>(byte[] from, string purpose, Func<byte[], T> use)
    {
        var key = CheckpointKey.Derive(from, purpose);
        try
        {
            return use(key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }
}
