using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Checkpoint;

/// <summary>A certificate with an RSA key: a random root is encrypted with RSA-OAEP and SHA-256 (RFC 8017, section 7.1), for which the public part is enough.</summary>
internal sealed class CertificateKey : CheckpointKey
{
    /// <summary>The shortest RSA key in bits: NIST SP 800-131A (2019) disallows shorter ones.</summary>
    public const int MinBits = 2048;

    private const int MaxKept = 64;

    private readonly string _id;
    private readonly RSAParameters _publicKey;
    private readonly Func<RSA?> _privateKey;

    // The outputs of one execution of a stage share a root, and an RSA operation takes a millisecond.
    private readonly ConcurrentDictionary<string, byte[]> _found = new();

    /// <param name="certificate">The certificate; its private key is needed for reading alone.</param>
    /// <exception cref="InvalidArgumentException">It has no RSA key, or one that is too short; or it was disposed of.</exception>
    public CertificateKey(X509Certificate2 certificate)
        : this(certificate, () => certificate.HasPrivateKey ? certificate.GetRSAPrivateKey() : null)
    {
    }

    /// <param name="certificate">The certificate.</param>
    /// <param name="privateKey">Gives its private key, or null where there is none.</param>
    internal CertificateKey(X509Certificate2 certificate, Func<RSA?> privateKey)
    {
        _privateKey = privateKey;
        try
        {
            _id = Convert.ToHexString(certificate.GetCertHash());
            // With an elliptic curve there is no encryption but what one builds of a key agreement; nobody else could then read it with tools at hand.
            using var rsa = certificate.GetRSAPublicKey()
                ?? throw new InvalidArgumentException($"The certificate {_id} cannot encrypt, for its key is no RSA key ({certificate.PublicKey.Oid.FriendlyName}). Use a certificate with an RSA key of {MinBits} bits or more, or 32 bytes, or a passphrase.");
            if (rsa.KeySize < MinBits)
                throw new InvalidArgumentException($"The RSA key of certificate {_id} has {rsa.KeySize} bits, which is too short. Use one of {MinBits} bits or more.");
            _publicKey = rsa.ExportParameters(includePrivateParameters: false);
        }
        catch (CryptographicException e)
        {
            throw new InvalidArgumentException($"The certificate cannot be used ({e.Message.TrimEnd('.')}); perhaps it was disposed of. Get it anew.");
        }
    }

    public override string Kind => "certificate";

    public override (KeyHeader Header, byte[] Root) Begin(string store)
    {
        var root = RandomNumberGenerator.GetBytes(Size);
        return (new KeyHeader { Kind = Kind, Id = _id, Encapsulated = Encrypt(root) }, root);
    }

    public override byte[]? Find(KeyHeader header)
    {
        if (!IsMine(header))
            return null;
        var name = Convert.ToHexString(header.Encapsulated);
        if (!_found.TryGetValue(name, out var root))
        {
            if ((root = Decrypt(header.Encapsulated)) is null && CanDecrypt())
                throw new InvalidDataException("its encrypted key is not what was saved");
            if (root is null)
                return null;
            if (_found.Count >= MaxKept)
                _found.Clear();
            _found[name] = root;
        }
        return [.. root];
    }

    public override string ToString() => $"{Kind} {_id}";

    public override string? MissingPrivateKey(KeyHeader header) => IsMine(header) && !CanDecrypt() ? _id : null;

    private bool IsMine(KeyHeader header) => header.Kind == Kind && header.Id == _id;

    private byte[] Encrypt(byte[] root)
    {
        using var rsa = RSA.Create(_publicKey);
        return rsa.Encrypt(root, RSAEncryptionPadding.OaepSHA256);
    }

    // A smart card that was taken out fails as a changed record does: with the private key that works, what it cannot decrypt was changed.
    private bool CanDecrypt() => Decrypt(Encrypt(new byte[Size])) is not null;

    private byte[]? Decrypt(byte[] encapsulated)
    {
        try
        {
            using var rsa = _privateKey();
            var root = rsa?.Decrypt(encapsulated, RSAEncryptionPadding.OaepSHA256);
            return root?.Length == Size ? root : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
