using System.Buffers;
using System.Text.Json;

namespace Checkpoint;

/// <summary>The record of a run as bytes: sealed JSON, as that of a checkpoint. docs/format.md describes the same for other programs.</summary>
internal static class RunFormat
{
    public const int Version = 1;

    public static ReadOnlyMemory<byte> Serialize(CheckpointRun run)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer, RecordFormat.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteNumber("format"u8, Version);
            json.WriteString("pipeline"u8, run.Pipeline);
            json.WriteString("run"u8, run.Run);
            json.WriteString("status"u8, Text(run.Status));
            json.WriteString("startedAt"u8, run.StartedAt);
            if (run.EndedAt is { } ended)
                json.WriteString("endedAt"u8, ended);
            json.WriteNumber("attempts"u8, run.Attempts);
            json.WriteString("host"u8, run.Host);
            json.WriteString("user"u8, run.User);
            json.WriteNumber("processId"u8, run.ProcessId);
            if (run.LastError is not null)
                json.WriteString("lastError"u8, run.LastError);
            if (run.Fingerprint is { } fingerprint)
                RecordFormat.WriteFingerprint(json, fingerprint);
            json.WriteStartArray("stages"u8);
            foreach (var stage in run.Stages)
                WriteStage(json, stage);
            json.WriteEndArray();
        }
        SealedJson.Seal(buffer);
        return buffer.WrittenMemory;
    }

    /// <summary>Reads a run.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a whole record; the message says why.</exception>
    /// <exception cref="RecordTooNewException">It is a whole record of a newer version.</exception>
    public static CheckpointRun Parse(ReadOnlyMemory<byte> bytes)
    {
        SealedJson.Verify(bytes.Span);
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var json = document.RootElement;
            var version = json.GetProperty("format").GetInt64();
            if (version > Version)
                throw new RecordTooNewException(version);
            return new CheckpointRun
            {
                Pipeline = CheckpointNames.Normalize(Required(json, "pipeline"), "pipeline"),
                Run = CheckpointNames.Normalize(Required(json, "run"), "run"),
                Status = Value<RunStatus>(Required(json, "status")),
                StartedAt = json.GetProperty("startedAt").GetDateTimeOffset().ToUniversalTime(),
                EndedAt = json.TryGetProperty("endedAt", out var ended) ? ended.GetDateTimeOffset().ToUniversalTime() : null,
                Attempts = json.GetProperty("attempts").GetInt32(),
                Host = Required(json, "host"),
                User = Required(json, "user"),
                ProcessId = json.GetProperty("processId").GetInt32(),
                LastError = Optional(json, "lastError"),
                Fingerprint = json.TryGetProperty("fingerprint", out var fingerprint) ? ParseFingerprint(fingerprint) : null,
                Stages = json.GetProperty("stages").EnumerateArray().Select(ParseStage).ToList().AsReadOnly(),
            };
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or ArgumentException or CheckpointException)
        {
            throw new InvalidDataException($"its content is not a record of a run ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static void WriteStage(Utf8JsonWriter json, StageResult stage)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, stage.Name);
        json.WriteString("status"u8, Text(stage.Status));
        if (stage.Reason is not null)
            json.WriteString("reason"u8, stage.Reason);
        json.WriteNumber("attempts"u8, stage.Attempts);
        json.WriteNumber("durationSeconds"u8, stage.Duration.TotalSeconds);
        if (stage.Error is not null)
            json.WriteString("error"u8, stage.Error);
        json.WriteEndObject();
    }

    private static StageResult ParseStage(JsonElement json) => new()
    {
        Name = Required(json, "name"),
        Status = Value<StageStatus>(Required(json, "status")),
        Reason = Optional(json, "reason"),
        Attempts = json.GetProperty("attempts").GetInt32(),
        Duration = TimeSpan.FromSeconds(json.GetProperty("durationSeconds").GetDouble()),
        Error = Optional(json, "error"),
    };

    private static CheckpointFingerprint ParseFingerprint(JsonElement json) =>
        new(Required(json, "value"), json.GetProperty("parts").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? "", StringComparer.Ordinal));

    private static string Required(JsonElement json, string member) => json.GetProperty(member).GetString() ?? throw new FormatException($"'{member}' is null");

    private static string? Optional(JsonElement json, string member) => json.TryGetProperty(member, out var value) ? value.GetString() : null;

    private static string Text<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    private static T Value<T>(string text)
        where T : struct, Enum =>
        Enum.TryParse<T>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) ? value : throw new FormatException($"'{text}' is unknown");
}
