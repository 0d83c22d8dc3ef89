using System.Buffers;
using System.Text.Json;

namespace Checkpoint;

/// <summary>One event as one line of JSON. docs/format.md describes the same for other programs.</summary>
internal static class HistoryFormat
{
    private static readonly JsonWriterOptions Options = RecordFormat.WriterOptions with { Indented = false };

    /// <summary>The event's line, with its line feed.</summary>
    public static void Write(IBufferWriter<byte> buffer, CheckpointEvent entry)
    {
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("time"u8, entry.Time);
            json.WriteString("event"u8, entry.Event);
            json.WriteString("pipeline"u8, entry.Pipeline);
            WriteText(json, "run", entry.Run);
            WriteText(json, "name", entry.Name);
            if (entry.Step is { } step)
                json.WriteNumber("step"u8, step);
            SealedDocument.WriteMessage(json, "reason", entry.Reason);
            json.WriteString("host"u8, entry.Host);
            json.WriteString("user"u8, entry.User);
            json.WriteNumber("processId"u8, entry.ProcessId);
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);
    }

    /// <summary>Reads a line; null where it is not whole, as the last one may be after a crash. Members it does not know are passed over.</summary>
    /// <param name="line">The line without its line feed.</param>
    /// <param name="store">The store's name.</param>
    public static CheckpointEvent? Parse(ReadOnlySpan<byte> line, string store)
    {
        try
        {
            var json = new Utf8JsonReader(line, RecordFormat.ReaderOptions);
            return json.Read() && json.TokenType == JsonTokenType.StartObject ? ParseMembers(ref json, store) : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    private static CheckpointEvent? ParseMembers(ref Utf8JsonReader json, string store)
    {
        DateTimeOffset? time = null;
        string? kind = null, pipeline = null, run = null, name = null, reason = null, host = null, user = null;
        long? step = null;
        var process = 0;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var member = json.GetString();
            json.Read();
            switch (member)
            {
                case "time":
                    time = json.GetDateTimeOffset().ToUniversalTime();
                    break;
                case "event":
                    kind = json.GetString();
                    break;
                case "pipeline":
                    pipeline = json.GetString();
                    break;
                case "run":
                    run = json.GetString();
                    break;
                case "name":
                    name = json.GetString();
                    break;
                case "step":
                    step = json.GetInt64();
                    break;
                case "reason":
                    reason = json.GetString();
                    break;
                case "host":
                    host = json.GetString();
                    break;
                case "user":
                    user = json.GetString();
                    break;
                case "processId":
                    process = json.GetInt32();
                    break;
                default:
                    json.Skip();
                    break;
            }
        }
        if (json.TokenType != JsonTokenType.EndObject || json.Read() || time is not { } at || kind is null || pipeline is null)
            return null;
        return new CheckpointEvent { Store = store, Time = at, Event = kind, Pipeline = pipeline, Run = run, Name = name, Step = step, Reason = reason, Host = host ?? "", User = user ?? "", ProcessId = process };
    }

    private static void WriteText(Utf8JsonWriter json, string member, string? text)
    {
        if (text is not null)
            json.WriteString(member, text);
    }
}
