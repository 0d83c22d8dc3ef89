namespace Checkpoint;

/// <summary>The record of a circuit breaker as bytes. docs/format.md describes the same for other programs.</summary>
internal static class CircuitFormat
{
    public const int Version = 1;

    public static ReadOnlyMemory<byte> Serialize(CircuitRecord record) => SealedDocument.Serialize(Version, json =>
    {
        json.WriteString("pipeline"u8, record.Pipeline);
        json.WriteString("name"u8, record.Name);
        json.WriteString("state"u8, SealedDocument.Text(record.State));
        json.WriteNumber("changes"u8, record.Changes);
        json.WriteString("since"u8, record.Since);
        if (record.OpenUntil is { } until)
            json.WriteString("openUntil"u8, until);
        json.WriteNumber("failures"u8, record.Failures);
        json.WriteNumber("successes"u8, record.Successes);
        SealedDocument.WriteMessage(json, "lastError", record.LastError);
    });

    /// <summary>Reads a record; see <see cref="SealedDocument.Parse"/>.</summary>
    public static CircuitRecord Parse(ReadOnlyMemory<byte> bytes) => SealedDocument.Parse(bytes, Version, "a circuit breaker", json => new CircuitRecord
    {
        Pipeline = CheckpointNames.Normalize(SealedDocument.Required(json, "pipeline"), "pipeline"),
        Name = CheckpointNames.Normalize(SealedDocument.Required(json, "name"), "circuit breaker"),
        State = SealedDocument.Value<CircuitState>(SealedDocument.Required(json, "state")),
        Changes = json.GetProperty("changes").GetInt64(),
        Since = json.GetProperty("since").GetDateTimeOffset().ToUniversalTime(),
        OpenUntil = SealedDocument.OptionalTime(json, "openUntil"),
        Failures = json.GetProperty("failures").GetInt32(),
        Successes = json.GetProperty("successes").GetInt32(),
        LastError = SealedDocument.Optional(json, "lastError"),
    });
}
