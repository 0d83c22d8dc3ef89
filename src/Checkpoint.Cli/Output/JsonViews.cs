using System.Text;
using System.Text.Json;

namespace Checkpoint.Cli;

/// <summary>The objects as JSON for programs: names in camel case that stay as they are, times in UTC, sizes in bytes.</summary>
internal static class JsonViews
{
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.fffffffZ";

    /// <summary>Prints an array.</summary>
    public static void Print<T>(IEnumerable<T> items, Action<Utf8JsonWriter, T> write) => Print(items, (json, all) =>
    {
        json.WriteStartArray();
        foreach (var item in all)
            write(json, item);
        json.WriteEndArray();
    });

    /// <summary>Prints one object.</summary>
    public static void Print<T>(T item, Action<Utf8JsonWriter, T> write)
        where T : class
    {
        using (var json = new Utf8JsonWriter(Terminal.Output, RecordFormat.WriterOptions))
            write(json, item);
        Terminal.Out.WriteLine();
        Terminal.Flush();
    }

    public static void Write(Utf8JsonWriter json, CheckpointInfo checkpoint)
    {
        json.WriteStartObject();
        Text(json, "store", checkpoint.Store);
        Text(json, "pipeline", checkpoint.Pipeline);
        Text(json, "run", checkpoint.Run);
        Text(json, "name", checkpoint.Name);
        json.WriteNumber("step", checkpoint.Step);
        Word(json, "status", checkpoint.Status);
        Time(json, "savedAt", checkpoint.SavedAt);
        Text(json, "fingerprint", checkpoint.Fingerprint?.Value);
        json.WriteStartObject("metadata");
        foreach (var (name, value) in checkpoint.Metadata)
        {
            json.WritePropertyName(name);
            Fact(json, value);
        }
        json.WriteEndObject();
        if (checkpoint.StateSize is { } size)
            json.WriteNumber("stateSize", size);
        else
            json.WriteNull("stateSize");
        json.WriteBoolean("encrypted", checkpoint.Encrypted);
        json.WriteStartArray("outputFiles");
        foreach (var file in checkpoint.OutputFiles)
        {
            json.WriteStartObject();
            Text(json, "path", file.Path);
            json.WriteNumber("size", file.Size);
            Time(json, "modifiedAt", file.ModifiedAt);
            Text(json, "sha256", file.Sha256);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        Origin(json, checkpoint.Host, checkpoint.User, checkpoint.ProcessId);
        Text(json, "location", checkpoint.Location);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, CheckpointDecision decision)
    {
        json.WriteStartObject();
        Text(json, "name", decision.Name);
        Word(json, "decision", decision.Decision);
        Word(json, "cause", decision.Cause);
        Text(json, "reason", decision.Reason);
        json.WriteStartArray("changed");
        foreach (var change in decision.Changed)
        {
            json.WriteStartObject();
            Text(json, "part", change.Part);
            Text(json, "savedHash", change.SavedHash);
            Text(json, "currentHash", change.CurrentHash);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WritePropertyName("checkpoint");
        if (decision.Checkpoint is { } checkpoint)
            Write(json, checkpoint);
        else
            json.WriteNullValue();
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, CheckpointEvent entry)
    {
        json.WriteStartObject();
        Text(json, "store", entry.Store);
        Time(json, "time", entry.Time);
        Text(json, "event", entry.Event);
        Text(json, "pipeline", entry.Pipeline);
        Text(json, "run", entry.Run);
        Text(json, "name", entry.Name);
        Step(json, entry.Step);
        Text(json, "reason", entry.Reason);
        Origin(json, entry.Host, entry.User, entry.ProcessId);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, StoreFinding finding)
    {
        json.WriteStartObject();
        Word(json, "kind", finding.Kind);
        Word(json, "severity", finding.Severity);
        Text(json, "store", finding.Store);
        Text(json, "pipeline", finding.Pipeline);
        Text(json, "run", finding.Run);
        Text(json, "name", finding.Name);
        Step(json, finding.Step);
        Text(json, "location", finding.Location);
        Text(json, "message", finding.Message);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, IEnumerable<(string Name, string? Value, string Source)> context)
    {
        json.WriteStartObject();
        foreach (var (name, value, source) in context)
        {
            json.WriteStartObject(JsonNamingPolicy.CamelCase.ConvertName(name));
            Text(json, "value", value);
            Text(json, "source", source);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void Step(Utf8JsonWriter json, long? step)
    {
        if (step is { } number)
            json.WriteNumber("step", number);
        else
            json.WriteNull("step");
    }

    private static void Origin(Utf8JsonWriter json, string host, string user, int processId)
    {
        Text(json, "host", host);
        Text(json, "user", user);
        json.WriteNumber("processId", processId);
    }

    private static void Text(Utf8JsonWriter json, string name, string? value) => json.WriteString(name, value);

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset time) => json.WriteString(name, time.UtcDateTime.ToString(TimeFormat, System.Globalization.CultureInfo.InvariantCulture));

    private static void Word(Utf8JsonWriter json, string name, Enum word) => json.WriteString(name, JsonNamingPolicy.CamelCase.ConvertName(word.ToString()));

    // As 'restore' prints what JSON has no form for.
    private static void Fact(Utf8JsonWriter json, object? fact)
    {
        if (fact is IEnumerable<object?> list)
        {
            json.WriteStartArray();
            foreach (var item in list)
                Fact(json, item);
            json.WriteEndArray();
        }
        else if (fact is null)
        {
            json.WriteNullValue();
        }
        else
        {
            var type = ScalarType.For(fact.GetType())!;
            using var text = new MemoryStream();
            PlainJson.WriteScalar(text, type.Name, type.ToText(fact));
            json.WriteRawValue(Encoding.UTF8.GetString(text.ToArray()), skipInputValidation: true);
        }
    }
}
