using System.Buffers;
using System.Collections.ObjectModel;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Checkpoint;

/// <summary>
/// The record of one checkpoint as bytes: an indented JSON object whose first member is the format's version and whose last is the checksum of everything
/// before it. docs/format.md describes the same for other programs.
/// </summary>
internal static class RecordFormat
{
    /// <summary>The version this code writes, and the newest it reads.</summary>
    public const int Version = 1;

    /// <summary>The longest record in bytes; a longer one is not read, and not written.</summary>
    public const int MaxLength = 16 << 20;

    // State nests to 100 levels, each at most three JSON levels deep, and lies three levels down in the record.
    private const int MaxDepth = 320;

    /// <summary>How all JSON of ours is written. Only what JSON requires is escaped: records are read by people, never by a browser.</summary>
    public static readonly JsonWriterOptions WriterOptions = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = MaxDepth,
        SkipValidation = true,
    };

    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth };

    /// <summary>The record's bytes.</summary>
    public static byte[] Serialize(CheckpointInfo info, string outputRoot)
    {
        var buffer = new ArrayBufferWriter<byte>(1024 + (info.State?.Inline.Length ?? 0));
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteNumber("format"u8, Version);
            json.WriteString("pipeline"u8, info.Pipeline);
            if (info.Run is not null)
                json.WriteString("run"u8, info.Run);
            json.WriteString("name"u8, info.Name);
            json.WriteNumber("step"u8, info.Step);
            json.WriteString("status"u8, "completed"u8);
            json.WriteString("savedAt"u8, info.SavedAt);
            json.WriteString("host"u8, info.Host);
            json.WriteString("user"u8, info.User);
            json.WriteNumber("processId"u8, info.ProcessId);
            if (info.Fingerprint is { } fingerprint)
                WriteFingerprint(json, fingerprint);
            if (info.Metadata.Count > 0)
                WriteFacts(json, "metadata", info.Metadata);
            if (info.Identity is { } identity)
                WriteFacts(json, "identity", identity);
            if (info.OutputFiles.Count > 0)
                WriteOutputFiles(json, info.OutputFiles, outputRoot);
            info.Encryption?.WriteTo(json);
            if (info.State is { } state)
                WriteState(json, state, info.Encrypted);
        }

        SealedJson.Seal(buffer);
        if (buffer.WrittenCount > MaxLength)
            throw TooLong(buffer.WrittenMemory);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a record.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="outputRoot">The folder that relative output files start from.</param>
    /// <param name="store">The store, for the result.</param>
    /// <param name="location">The file, for the result.</param>
    /// <exception cref="InvalidDataException">The bytes are not a whole record; the message says why.</exception>
    /// <exception cref="RecordTooNewException">It is a whole record of a newer version.</exception>
    public static CheckpointInfo Parse(ReadOnlyMemory<byte> bytes, string outputRoot, string store, string location)
    {
        // The checksum is judged before the version: this rule holds for every version to come, so that damage is never taken for novelty.
        var body = SealedJson.Verify(bytes.Span);
        try
        {
            return new RecordParser(outputRoot, store, location).Parse(bytes, body);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or ArgumentException or KeyNotFoundException)
        {
            throw new InvalidDataException($"its content is not a record ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>A record with another member <c>encryption</c>, and all else, what this version does not know too, as it was.</summary>
    public static byte[] WithEncryption(ReadOnlyMemory<byte> record, Envelope encryption)
    {
        using var document = JsonDocument.Parse(record, new JsonDocumentOptions { MaxDepth = MaxDepth });
        var buffer = new ArrayBufferWriter<byte>(record.Length);
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
        {
            json.WriteStartObject();
            foreach (var member in document.RootElement.EnumerateObject())
            {
                if (member.NameEquals("encryption"u8))
                    encryption.WriteTo(json);
                else if (!member.NameEquals("checksum"u8))
                    member.WriteTo(json);
            }
        }
        SealedJson.Seal(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static UnkeptValueException TooLong(ReadOnlyMemory<byte> record)
    {
        using var document = JsonDocument.Parse(record, new JsonDocumentOptions { MaxDepth = MaxDepth });
        var largest = document.RootElement.EnumerateObject().MaxBy(member => member.Value.GetRawText().Length).Name;
        // What is encrypted in the record itself is above all the metadata.
        largest = largest == "encryption" ? "metadata" : largest;
        return CheckpointErrors.NotSerializable(largest, $"the record would have {record.Length >> 20} MiB and may have {MaxLength >> 20}, and most of it is this; what is large belongs into the state");
    }

    public static void WriteFingerprint(Utf8JsonWriter json, CheckpointFingerprint fingerprint)
    {
        json.WriteStartObject("fingerprint"u8);
        json.WriteString("value"u8, fingerprint.Value);
        json.WriteStartObject("parts"u8);
        foreach (var (part, hash) in fingerprint.Parts)
            json.WriteString(part, hash);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteFacts(Utf8JsonWriter json, string member, ReadOnlyDictionary<string, object?> facts)
    {
        json.WritePropertyName(member);
        ScalarJson.WriteFacts(json, facts, member);
    }

    private static void WriteOutputFiles(Utf8JsonWriter json, IReadOnlyList<OutputFile> files, string root)
    {
        json.WriteStartArray("outputFiles"u8);
        foreach (var file in files)
        {
            json.WriteStartObject();
            json.WriteString("path"u8, OutputPath.Shorten(file.Path, root));
            json.WriteNumber("size"u8, file.Size);
            json.WriteString("modifiedAt"u8, file.ModifiedAt);
            json.WriteString("sha256"u8, file.Sha256);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteState(Utf8JsonWriter json, StoredState state, bool isEncrypted)
    {
        json.WriteStartObject("state"u8);
        json.WriteBoolean("sequence"u8, state.IsSequence);
        if (state.Payload is null && isEncrypted)
        {
            json.WriteBase64String("sealed"u8, state.Inline.Span);
        }
        else if (state.Payload is null)
        {
            json.WritePropertyName("value"u8);
            json.WriteRawValue(state.Inline.Span, skipInputValidation: true);
        }
        else
        {
            json.WriteStartObject("payload"u8);
            json.WriteString("file"u8, state.Payload);
            json.WriteNumber("length"u8, state.PayloadLength);
            json.WriteNumber("documentLength"u8, state.DocumentLength);
            json.WriteString("sha256"u8, FingerprintHash.Hex(state.Sha256));
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
