using System.Text.Json;

namespace Checkpoint;

/// <summary>What a record keeps so that its key can open it: the member <c>encryption</c>. docs/format.md says the same.</summary>
internal sealed record Envelope
{
    private const string Cipher = "aes-256-gcm";

    /// <summary>Which key it needs.</summary>
    public required KeyHeader Key { get; init; }

    /// <summary>The nonce of the wrapping, 12 random bytes.</summary>
    public required byte[] Nonce { get; init; }

    /// <summary>The wrapped data key: 32 bytes and the tag.</summary>
    public required byte[] Wrapped { get; init; }

    /// <summary>How many of the plain bytes of the state are its document; the blobs follow. 0 without a state.</summary>
    public required long DocumentLength { get; init; }

    /// <summary>The encrypted metadata and identity, or null where there are none.</summary>
    public byte[]? Facts { get; init; }

    /// <summary>The same for another key.</summary>
    /// <param name="key">What the key began; its root is overwritten.</param>
    /// <param name="dataKey">What is to be wrapped.</param>
    /// <param name="identity">What it is wrapped for.</param>
    public Envelope For((KeyHeader Header, byte[] Root) key, DataKey dataKey, byte[] identity)
    {
        var (nonce, wrapped) = dataKey.Wrap(key.Root, identity);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(key.Root);
        return this with { Key = key.Header, Nonce = nonce, Wrapped = wrapped };
    }

    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject("encryption"u8);
        json.WriteString("cipher"u8, Cipher);
        json.WriteNumber("chunk"u8, ChunkCipher.ChunkSize);
        json.WriteNumber("documentLength"u8, DocumentLength);
        if (Facts is not null)
            json.WriteBase64String("facts"u8, Facts);
        json.WriteStartObject("key"u8);
        json.WriteString("kind"u8, Key.Kind);
        json.WriteString("id"u8, Key.Id);
        if (Key.Salt.Length > 0)
        {
            json.WriteBase64String("salt"u8, Key.Salt);
            json.WriteNumber("iterations"u8, Key.Iterations);
        }
        if (Key.Encapsulated.Length > 0)
            json.WriteBase64String("encapsulated"u8, Key.Encapsulated);
        json.WriteBase64String("nonce"u8, Nonce);
        json.WriteBase64String("wrapped"u8, Wrapped);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Reads the member's value, beyond which members that are not known are passed over.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static Envelope Parse(JsonElement value)
    {
        Expect(value.GetProperty("cipher").GetString() == Cipher, "a known cipher");
        Expect(value.GetProperty("chunk").GetInt32() == ChunkCipher.ChunkSize, "a known size of chunks");
        var key = value.GetProperty("key");
        var header = new KeyHeader
        {
            Kind = key.GetProperty("kind").GetString() ?? "",
            Id = key.GetProperty("id").GetString() ?? "",
            Salt = Bytes(key, "salt") ?? [],
            Iterations = key.TryGetProperty("iterations", out var iterations) ? iterations.GetInt32() : 0,
            Encapsulated = Bytes(key, "encapsulated") ?? [],
        };
        if (header.Kind == "passphrase")
        {
            Expect(header.Salt.Length == PassphraseKey.SaltSize, "a salt of 16 bytes");
            Expect(header.Iterations is >= PassphraseKey.MinIterations and <= PassphraseKey.MaxIterations, $"between {PassphraseKey.MinIterations} and {PassphraseKey.MaxIterations} iterations");
        }
        var envelope = new Envelope
        {
            Key = header,
            Nonce = Bytes(key, "nonce") ?? [],
            Wrapped = Bytes(key, "wrapped") ?? [],
            DocumentLength = value.GetProperty("documentLength").GetInt64(),
            Facts = Bytes(value, "facts"),
        };
        Expect(envelope.Nonce.Length == 12 && envelope.Wrapped.Length == CheckpointKey.Size + ChunkCipher.TagSize, "a wrapped key");
        return envelope;
    }

    private static byte[]? Bytes(JsonElement value, string member) => value.TryGetProperty(member, out var bytes) ? bytes.GetBytesFromBase64() : null;

    private static void Expect(bool condition, string what)
    {
        if (!condition)
            throw new JsonException($"Where {what} was expected in the encryption, there is something else.");
    }
}
