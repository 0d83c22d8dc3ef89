using System.Text;
using System.Text.Json;

namespace Checkpoint.Cli;

/// <summary>The objects as <see cref="ProgramJson"/>.</summary>
internal static class JsonViews
{
    /// <summary>Prints an array.</summary>
    public static void Print<T>(IEnumerable<T> items, Action<Utf8JsonWriter, T> write) => Print(json => Array(json, items, write));

    /// <summary>Prints one object.</summary>
    public static void Print<T>(T item, Action<Utf8JsonWriter, T> write) => Print(json => write(json, item));

    public static void Write(Utf8JsonWriter json, CheckpointInfo checkpoint)
    {
        json.WriteStartObject();
        Place(json, checkpoint.Store, checkpoint.Pipeline, checkpoint.Run, checkpoint.Name);
        json.Member("step", checkpoint.Step);
        json.Member("status", checkpoint.Status);
        json.Member("savedAt", checkpoint.SavedAt);
        json.Member("fingerprint", checkpoint.Fingerprint?.Value);
        json.WriteStartObject("metadata");
        foreach (var (name, value) in checkpoint.Metadata)
        {
            json.WritePropertyName(ProgramJson.Text(name));
            Fact(json, value);
        }
        json.WriteEndObject();
        json.Member("stateSize", checkpoint.StateSize);
        json.WriteBoolean("encrypted", checkpoint.Encrypted);
        Array(json, "outputFiles", checkpoint.OutputFiles, static (json, file) =>
        {
            json.WriteStartObject();
            json.Member("path", file.Path);
            json.Member("size", file.Size);
            json.Member("modifiedAt", file.ModifiedAt);
            json.Member("sha256", file.Sha256);
            json.WriteEndObject();
        });
        Origin(json, checkpoint.Host, checkpoint.User, checkpoint.ProcessId);
        json.Member("location", checkpoint.Location);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, CheckpointDecision decision)
    {
        json.WriteStartObject();
        json.Member("name", decision.Name);
        json.Member("decision", decision.Decision);
        json.Member("cause", decision.Cause);
        json.Member("reason", decision.Reason);
        Array(json, "changed", decision.Changed, static (json, change) =>
        {
            json.WriteStartObject();
            json.Member("part", change.Part);
            json.Member("savedHash", change.SavedHash);
            json.Member("currentHash", change.CurrentHash);
            json.WriteEndObject();
        });
        Checkpoint(json, decision.Checkpoint);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, CheckpointEvent entry)
    {
        json.WriteStartObject();
        json.Member("time", entry.Time);
        json.Member("event", entry.Event);
        Place(json, entry.Store, entry.Pipeline, entry.Run, entry.Name);
        json.Member("step", entry.Step);
        json.Member("reason", entry.Reason);
        Origin(json, entry.Host, entry.User, entry.ProcessId);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, StoreFinding finding)
    {
        json.WriteStartObject();
        json.Member("kind", finding.Kind);
        json.Member("severity", finding.Severity);
        Place(json, finding.Store, finding.Pipeline, finding.Run, finding.Name);
        json.Member("step", finding.Step);
        json.Member("location", finding.Location);
        json.Member("message", finding.Message);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, IEnumerable<(string Name, string? Value, string Source)> context)
    {
        json.WriteStartObject();
        foreach (var (name, value, source) in context)
        {
            json.WriteStartObject(JsonNamingPolicy.CamelCase.ConvertName(name));
            json.Member("value", value);
            json.Member("source", source);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    /// <summary>What became of a command that is run once.</summary>
    public static void Write(Utf8JsonWriter json, string store, StageId stage, StageOutcome outcome)
    {
        json.WriteStartObject();
        Place(json, store, stage.Pipeline, stage.Run, stage.Name);
        json.Member("status", outcome.Status);
        json.Member("reason", outcome.Decision.Reason);
        json.Member("attempts", outcome.Attempts);
        if (outcome.Attempts > 0)
            json.WriteNumber("durationSeconds", outcome.Duration.TotalSeconds);
        json.Member("exitCode", outcome.Error is { } error ? ExitCode.Of(error) : ExitCode.Done);
        json.Member("error", outcome.Error?.Message);
        Checkpoint(json, outcome.Checkpoint);
        json.WriteEndObject();
    }

    /// <summary>What became of items.</summary>
    public static void Write(Utf8JsonWriter json, string store, StageId stage, ItemOutcome outcome)
    {
        var counts = outcome.Counts;
        json.WriteStartObject();
        Place(json, store, stage.Pipeline, stage.Run, stage.Name);
        json.Member("status", outcome.Status);
        json.Member("items", counts.Items);
        json.Member("done", counts.Done);
        json.Member("doneBefore", counts.Skipped);
        json.Member("failed", counts.Failed);
        json.Member("failedBefore", counts.FailedBefore);
        json.Member("doubled", counts.Doubled);
        Array(json, "failures", outcome.Failures, static (json, failure) =>
        {
            json.WriteStartObject();
            json.Member("key", failure.Key);
            json.Member("at", failure.At);
            json.Member("error", failure.Error);
            json.WriteEndObject();
        });
        json.Member("error", outcome.Error?.Message);
        Checkpoint(json, outcome.Checkpoint);
        json.WriteEndObject();
    }

    /// <summary>What was cleared of a stage, or would be.</summary>
    public static void Write(Utf8JsonWriter json, string store, StageId stage, IEnumerable<long> steps, int removed)
    {
        json.WriteStartObject();
        Place(json, store, stage.Pipeline, stage.Run, stage.Name);
        Array(json, "steps", steps, static (json, step) => json.WriteNumberValue(step));
        json.Member("removed", removed);
        json.WriteEndObject();
    }

    private static void Print(Action<Utf8JsonWriter> write)
    {
        using (var json = new Utf8JsonWriter(Terminal.Output, ProgramJson.WriterOptions))
            write(json);
        Terminal.Out.WriteLine();
        Terminal.Flush();
    }

    private static void Array<T>(Utf8JsonWriter json, string name, IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        json.WritePropertyName(name);
        Array(json, items, write);
    }

    private static void Array<T>(Utf8JsonWriter json, IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartArray();
        foreach (var item in items)
            write(json, item);
        json.WriteEndArray();
    }

    private static void Place(Utf8JsonWriter json, string store, string? pipeline, string? run, string? name)
    {
        json.Member("store", store);
        json.Member("pipeline", pipeline);
        json.Member("run", run);
        json.Member("name", name);
    }

    private static void Checkpoint(Utf8JsonWriter json, CheckpointInfo? checkpoint)
    {
        if (checkpoint is null)
            return;
        json.WritePropertyName("checkpoint");
        Write(json, checkpoint);
    }

    private static void Origin(Utf8JsonWriter json, string host, string user, int processId)
    {
        json.Member("host", host);
        json.Member("user", user);
        json.Member("processId", processId);
    }

    // As 'restore' prints what JSON has no form for.
    private static void Fact(Utf8JsonWriter json, object? fact)
    {
        if (fact is IEnumerable<object?> list)
        {
            Array(json, list, Fact);
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
            json.WriteRawValue(ProgramJson.WithoutCommands(Encoding.UTF8.GetString(text.ToArray())), skipInputValidation: true);
        }
    }
}
