using System.Buffers;
using System.Collections.ObjectModel;
using System.Text.Json;

namespace Checkpoint;

/// <summary>What a checkpoint says of itself in the user's own words, as one piece to be encrypted.</summary>
/// <param name="Metadata">The metadata.</param>
/// <param name="Identity">What <c>GetIdentity()</c> said, or null.</param>
internal sealed record SealedFacts(ReadOnlyDictionary<string, object?> Metadata, ReadOnlyDictionary<string, object?>? Identity)
{
    /// <summary>As JSON; null where there are none.</summary>
    /// <exception cref="UnkeptValueException">A value cannot be kept.</exception>
    public byte[]? ToBytes()
    {
        if (Metadata.Count == 0 && Identity is null)
            return null;
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, RecordFormat.WriterOptions with { Indented = false }))
        {
            json.WriteStartObject();
            json.WritePropertyName("metadata"u8);
            ScalarJson.WriteFacts(json, Metadata, "metadata");
            if (Identity is not null)
            {
                json.WritePropertyName("identity"u8);
                ScalarJson.WriteFacts(json, Identity, "identity");
            }
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="InvalidDataException">They are none: another program encrypted them.</exception>
    public static SealedFacts Parse(ReadOnlySpan<byte> bytes)
    {
        var facts = new SealedFacts(CheckpointInfo.NoMetadata, null);
        try
        {
            var json = new Utf8JsonReader(bytes, RecordFormat.ReaderOptions);
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var member = json.GetString();
                json.Read();
                if (member == "metadata")
                    facts = facts with { Metadata = ScalarJson.ReadFacts(ref json) };
                else if (member == "identity")
                    facts = facts with { Identity = ScalarJson.ReadFacts(ref json) };
                else
                    json.Skip();
            }
            return facts;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException("its metadata cannot be read", e);
        }
    }
}
