namespace Checkpoint;

/// <summary>What a record tells of the key that it was encrypted with: enough to know the key again and to derive from it, and nothing of it.</summary>
internal sealed record KeyHeader
{
    /// <summary>The kind of key: see <see cref="CheckpointKey.Kind"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Equal for equal keys: 32 hexadecimal digits, or the thumbprint of a certificate.</summary>
    public required string Id { get; init; }

    /// <summary>Of a passphrase: the salt, 16 bytes.</summary>
    public byte[] Salt { get; init; } = [];

    /// <summary>Of a passphrase: how often PBKDF2 iterates.</summary>
    public int Iterations { get; init; }

    /// <summary>Of a certificate: the root that was encrypted for its private key.</summary>
    public byte[] Encapsulated { get; init; } = [];
}
