using System.Buffers;
using System.Text.Json;

namespace Checkpoint;

/// <summary>What the small documents beside checkpoints have in common: sealed JSON, as a record, whose first member is the format's version.</summary>
internal static class SealedDocument
{
    // An error may say megabytes. A document that holds more than a record may is never read again.
    private const int MaxMessage = 4000;

    /// <summary>The bytes of a document.</summary>
    /// <param name="version">The format's version.</param>
    /// <param name="write">Writes the other members.</param>
    public static ReadOnlyMemory<byte> Serialize(int version, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer, RecordFormat.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteNumber("format"u8, version);
            write(json);
        }
        SealedJson.Seal(buffer);
        return buffer.WrittenMemory;
    }

    /// <summary>Reads a document.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="version">The newest version that is known.</param>
    /// <param name="what">What it is, for the message: such as <c>a run</c>.</param>
    /// <param name="read">Reads the other members; members that it does not know are passed over.</param>
    /// <exception cref="InvalidDataException">The bytes are not a whole document; the message says why.</exception>
    /// <exception cref="RecordTooNewException">It is a whole document of a newer version.</exception>
    public static T Parse<T>(ReadOnlyMemory<byte> bytes, int version, string what, Func<JsonElement, T> read)
    {
        SealedJson.Verify(bytes.Span);
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var found = document.RootElement.GetProperty("format").GetInt64();
            return found > version ? throw new RecordTooNewException(found) : read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or ArgumentException or CheckpointException)
        {
            throw new InvalidDataException($"its content is not that of {what} ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Writes a message of somebody else's, cut where it is very long; nothing where there is none.</summary>
    public static void WriteMessage(Utf8JsonWriter json, string member, string? message)
    {
        if (message is not null)
            json.WriteString(member, ShortText.Cut(message, MaxMessage));
    }

    public static string Required(JsonElement json, string member) => json.GetProperty(member).GetString() ?? throw new FormatException($"'{member}' is null");

    public static string? Optional(JsonElement json, string member) => json.TryGetProperty(member, out var value) ? value.GetString() : null;

    public static DateTimeOffset? OptionalTime(JsonElement json, string member) => json.TryGetProperty(member, out var value) ? value.GetDateTimeOffset().ToUniversalTime() : null;

    /// <summary>A value's name with a small first letter.</summary>
    public static string Text<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    public static T Value<T>(string text)
        where T : struct, Enum =>
        Enum.TryParse<T>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) ? value : throw new FormatException($"'{text}' is unknown");
}
