using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>
/// A key that a user gave. It encrypts nothing itself: it yields a root of 32 bytes, from which the key is derived that wraps the data key of one checkpoint.
/// </summary>
internal abstract class CheckpointKey
{
    /// <summary>The length of every symmetric key, in bytes.</summary>
    public const int Size = 32;

    private const int IdSize = 16;

    private const string Base64 = "base64:";

    /// <summary>As records tell it: <c>passphrase</c>, <c>key</c> or <c>certificate</c>.</summary>
    public abstract string Kind { get; }

    /// <summary>A key as a CI system keeps its secrets: <c>base64:</c> and 32 bytes in base64, or a passphrase. A line break at its end is left out.</summary>
    /// <param name="text">The key.</param>
    /// <param name="source">Where it stands, for messages, which never say the key.</param>
    /// <exception cref="InvalidArgumentException">It is none.</exception>
    public static CheckpointKey FromText(string text, string source)
    {
        // What comes out of a file or a pipe has one, which nobody means.
        text = text.TrimEnd('\r', '\n');
        if (string.IsNullOrWhiteSpace(text))
            throw new InvalidArgumentException($"{source} is blank. Give it a passphrase, or '{Base64}' and {Size} bytes in base64; leave it empty for no key.");
        if (!text.StartsWith(Base64, StringComparison.OrdinalIgnoreCase))
            return new PassphraseKey(text);
        var bytes = new byte[Size + 1];
        try
        {
            return Convert.TryFromBase64String(text[Base64.Length..], bytes, out var length) && length == Size
                ? new RawKey(bytes.AsSpan(0, length))
                : throw new InvalidArgumentException($"{source} begins with '{Base64}' and yet is not {Size} bytes in base64. Make such a key with [Convert]::ToBase64String([System.Security.Cryptography.RandomNumberGenerator]::GetBytes({Size})), or use a passphrase.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>What kind of key it is, and nothing of it.</summary>
    public override string ToString() => Kind;

    /// <summary>Whether nothing that lies in a store is needed before something is encrypted for it; see <see cref="Adopt"/>.</summary>
    public virtual bool IsReady(string store) => true;

    /// <summary>Told of a header that this key opens, of a store: what is costly to derive need not be derived again for what is saved there.</summary>
    public virtual void Adopt(string store, KeyHeader header)
    {
    }

    /// <summary>A root to encrypt with, and what a record must say of it. The root is the caller's, who overwrites it.</summary>
    public abstract (KeyHeader Header, byte[] Root) Begin(string store);

    /// <summary>The root that a header speaks of. It is the caller's, who overwrites it.</summary>
    /// <returns>Null where the header is of another key, or this one can only encrypt.</returns>
    /// <exception cref="InvalidDataException">The header is of this key, and yet was not made with it.</exception>
    public abstract byte[]? Find(KeyHeader header);

    /// <summary>The name of the private key that is missing, where a header is of this key and it can only encrypt; else null.</summary>
    public virtual string? MissingPrivateKey(KeyHeader header) => null;

    /// <summary>Whether a header is of this key, be it that it can only encrypt.</summary>
    public bool IsOf(KeyHeader header)
    {
        if (MissingPrivateKey(header) is not null)
            return true;
        var root = Find(header);
        CryptographicOperations.ZeroMemory(root);
        return root is not null;
    }

    /// <summary>A key for one purpose: HKDF-SHA256 (RFC 5869) without a salt, for what it is made from is random or stretched already.</summary>
    public static byte[] Derive(byte[] root, string purpose, int size = Size) => HKDF.DeriveKey(HashAlgorithmName.SHA256, root, size, info: System.Text.Encoding.UTF8.GetBytes(purpose));

    protected static string IdOf(byte[] root) => FingerprintHash.Hex(Derive(root, "checkpoint id", IdSize));
}
