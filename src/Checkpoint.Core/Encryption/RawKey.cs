namespace Checkpoint;

/// <summary>A key of 32 random bytes.</summary>
internal sealed class RawKey : CheckpointKey
{
    private readonly byte[] _root;
    private readonly string _id;

    /// <param name="bytes">The 32 bytes; copied.</param>
    /// <exception cref="InvalidArgumentException">They are more or fewer.</exception>
    public RawKey(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
            throw new InvalidArgumentException($"A key of bytes has {Size} of them, and this one has {bytes.Length}. Make one with [System.Security.Cryptography.RandomNumberGenerator]::GetBytes({Size}), or use a passphrase.");
        _root = bytes.ToArray();
        _id = IdOf(_root);
    }

    public override string Kind => "key";

    public override (KeyHeader Header, byte[] Root) Begin(string store) => (new KeyHeader { Kind = Kind, Id = _id }, [.. _root]);

    public override byte[]? Find(KeyHeader header) => header.Kind == Kind && header.Id == _id ? [.. _root] : null;
}
