using System.Buffers;
using System.Text.Json;

namespace Checkpoint;

/// <summary>The record of a circuit breaker as bytes: sealed JSON, as that of a checkpoint. docs/format.md describes the same for other programs.</summary>
internal static class CircuitFormat
{
    public const int Version = 1;

    public static ReadOnlyMemory<byte> Serialize(CircuitRecord record)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, RecordFormat.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteNumber("format"u8, Version);
            json.WriteString("pipeline"u8, record.Pipeline);
            json.WriteString("name"u8, record.Name);
            json.WriteString("state"u8, record.State switch { CircuitState.Open => "open", CircuitState.HalfOpen => "halfOpen", _ => "closed" });
            json.WriteNumber("changes"u8, record.Changes);
            json.WriteString("since"u8, record.Since);
            if (record.OpenUntil is { } until)
                json.WriteString("openUntil"u8, until);
            json.WriteNumber("failures"u8, record.Failures);
            json.WriteNumber("successes"u8, record.Successes);
            if (record.LastError is { } error)
                json.WriteString("lastError"u8, error);
        }
        SealedJson.Seal(buffer);
        return buffer.WrittenMemory;
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a whole record; the message says why.</exception>
    /// <exception cref="RecordTooNewException">It is a whole record of a newer version.</exception>
    public static CircuitRecord Parse(ReadOnlyMemory<byte> bytes)
    {
        SealedJson.Verify(bytes.Span);
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var json = document.RootElement;
            var version = json.GetProperty("format").GetInt64();
            if (version > Version)
                throw new RecordTooNewException(version);
            var state = json.GetProperty("state").GetString();
            return new CircuitRecord
            {
                Pipeline = CheckpointNames.Normalize(json.GetProperty("pipeline").GetString()!, "pipeline"),
                Name = CheckpointNames.Normalize(json.GetProperty("name").GetString()!, "circuit breaker"),
                State = state switch { "open" => CircuitState.Open, "halfOpen" => CircuitState.HalfOpen, "closed" => CircuitState.Closed, _ => throw new FormatException($"the state '{state}' is unknown") },
                Changes = json.GetProperty("changes").GetInt64(),
                Since = json.GetProperty("since").GetDateTimeOffset().ToUniversalTime(),
                OpenUntil = json.TryGetProperty("openUntil", out var until) ? until.GetDateTimeOffset().ToUniversalTime() : null,
                Failures = json.GetProperty("failures").GetInt32(),
                Successes = json.GetProperty("successes").GetInt32(),
                LastError = json.TryGetProperty("lastError", out var error) ? error.GetString() : null,
            };
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or ArgumentException or CheckpointException)
        {
            throw new InvalidDataException($"its content is not that of a circuit breaker ({e.Message.TrimEnd('.')})", e);
        }
    }
}
