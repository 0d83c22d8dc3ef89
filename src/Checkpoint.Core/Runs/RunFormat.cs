using System.Text.Json;

namespace Checkpoint;

/// <summary>The record of a run as bytes. docs/format.md describes the same for other programs.</summary>
internal static class RunFormat
{
    public const int Version = 1;

    public static ReadOnlyMemory<byte> Serialize(CheckpointRun run) => SealedDocument.Serialize(Version, json =>
    {
        json.WriteString("pipeline"u8, run.Pipeline);
        json.WriteString("run"u8, run.Run);
        json.WriteString("status"u8, SealedDocument.Text(run.Status));
        json.WriteString("startedAt"u8, run.StartedAt);
        if (run.SortsAt > run.StartedAt)
            json.WriteString("sortsAt"u8, run.SortsAt);
        if (run.EndedAt is { } ended)
            json.WriteString("endedAt"u8, ended);
        json.WriteNumber("attempts"u8, run.Attempts);
        json.WriteString("host"u8, run.Host);
        json.WriteString("user"u8, run.User);
        json.WriteNumber("processId"u8, run.ProcessId);
        SealedDocument.WriteMessage(json, "lastError", run.LastError);
        if (run.Fingerprint is { } fingerprint)
            RecordFormat.WriteFingerprint(json, fingerprint);
        json.WriteStartArray("stages"u8);
        foreach (var stage in run.Stages)
            WriteStage(json, stage);
        json.WriteEndArray();
    });

    /// <summary>Reads a run; see <see cref="SealedDocument.Parse"/>.</summary>
    public static CheckpointRun Parse(ReadOnlyMemory<byte> bytes) => SealedDocument.Parse(bytes, Version, "a run", json => new CheckpointRun
    {
        Pipeline = CheckpointNames.Normalize(SealedDocument.Required(json, "pipeline"), "pipeline"),
        Run = CheckpointNames.Normalize(SealedDocument.Required(json, "run"), "run"),
        Status = SealedDocument.Value<RunStatus>(SealedDocument.Required(json, "status")),
        StartedAt = json.GetProperty("startedAt").GetDateTimeOffset().ToUniversalTime(),
        SortsAt = SealedDocument.OptionalTime(json, "sortsAt") ?? json.GetProperty("startedAt").GetDateTimeOffset().ToUniversalTime(),
        EndedAt = SealedDocument.OptionalTime(json, "endedAt"),
        Attempts = json.GetProperty("attempts").GetInt32(),
        Host = SealedDocument.Required(json, "host"),
        User = SealedDocument.Required(json, "user"),
        ProcessId = json.GetProperty("processId").GetInt32(),
        LastError = SealedDocument.Optional(json, "lastError"),
        Fingerprint = json.TryGetProperty("fingerprint", out var fingerprint) ? ParseFingerprint(fingerprint) : null,
        Stages = json.GetProperty("stages").EnumerateArray().Select(ParseStage).ToList().AsReadOnly(),
    });

    private static void WriteStage(Utf8JsonWriter json, StageResult stage)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, stage.Name);
        json.WriteString("status"u8, SealedDocument.Text(stage.Status));
        SealedDocument.WriteMessage(json, "reason", stage.Reason);
        json.WriteNumber("attempts"u8, stage.Attempts);
        json.WriteNumber("durationSeconds"u8, stage.Duration.TotalSeconds);
        SealedDocument.WriteMessage(json, "error", stage.Error);
        json.WriteEndObject();
    }

    private static StageResult ParseStage(JsonElement json) => new()
    {
        Name = SealedDocument.Required(json, "name"),
        Status = SealedDocument.Value<StageStatus>(SealedDocument.Required(json, "status")),
        Reason = SealedDocument.Optional(json, "reason"),
        Attempts = json.GetProperty("attempts").GetInt32(),
        Duration = TimeSpan.FromSeconds(json.GetProperty("durationSeconds").GetDouble()),
        Error = SealedDocument.Optional(json, "error"),
    };

    private static CheckpointFingerprint ParseFingerprint(JsonElement json) =>
        new(SealedDocument.Required(json, "value"), json.GetProperty("parts").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? "", StringComparer.Ordinal));
}
