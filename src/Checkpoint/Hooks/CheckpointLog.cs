using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Checkpoint;

/// <summary>A hook that appends a line to a file for each event. Immutable.</summary>
/// <remarks>The file is opened and closed for each line: nothing is lost when the process is killed, several pipelines may write to one file, and it may be moved away in between.</remarks>
public sealed class CheckpointLog : IPipelineHook
{
    internal CheckpointLog()
    {
    }

    /// <summary>The file, as a full path.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>How it is written.</summary>
    public HookLogFormat Format { get; internal init; }

    /// <summary>The file.</summary>
    public override string ToString() => Path;

    void IPipelineHook.On(HookEvent e)
    {
        var line = Format == HookLogFormat.Json ? Json(e) : Encoding.UTF8.GetBytes(Text(e));
        PipelineThread.Run(async () =>
        {
            await LineFile.AppendAsync(FileSystem.Current, Path, line, CancellationToken.None);
            return true;
        });
    }

    private static string Text(HookEvent e)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{e.Time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {e.Hook} {e.Pipeline}/{e.Run}");
        if (e.Stage is not null)
            line.Append(CultureInfo.InvariantCulture, $"/{e.Stage}");
        if (e.CircuitBreaker is not null)
            line.Append(CultureInfo.InvariantCulture, $" breaker={e.CircuitBreaker}");
        if (e.Status is not null)
            line.Append(CultureInfo.InvariantCulture, $" {e.Status}");
        if (e.Attempt is { } attempt)
            line.Append(CultureInfo.InvariantCulture, $" attempt={attempt}");
        if (e.Duration is { } duration)
            line.Append(CultureInfo.InvariantCulture, $" duration={duration.TotalSeconds:0.000}s");
        if (e.Delay is { } delay)
            line.Append(CultureInfo.InvariantCulture, $" delay={delay.TotalSeconds:0.000}s");
        if ((e.Error?.Message ?? e.Reason) is { } why)
            line.Append(": ").Append(why);
        // One line an event, whatever is in a name or a message.
        for (var i = 0; i < line.Length; i++)
        {
            if (char.IsControl(line[i]) || line[i] is '\u2028' or '\u2029')
                line[i] = ' ';
        }
        return line.Append('\n').ToString();
    }

    private static ReadOnlyMemory<byte> Json(HookEvent e)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, RecordFormat.WriterOptions with { Indented = false }))
        {
            json.WriteStartObject();
            json.WriteString("time"u8, e.Time.UtcDateTime);
            json.WriteString("hook"u8, e.Hook);
            json.WriteString("pipeline"u8, e.Pipeline);
            Write("run", e.Run);
            Write("stage", e.Stage);
            Write("circuitBreaker", e.CircuitBreaker);
            Write("status", e.Status);
            Write("reason", e.Reason);
            if (e.Attempt is { } attempt)
                json.WriteNumber("attempt"u8, attempt);
            if (e.Duration is { } duration)
                json.WriteNumber("durationSeconds"u8, duration.TotalSeconds);
            if (e.Delay is { } delay)
                json.WriteNumber("delaySeconds"u8, delay.TotalSeconds);
            Write("error", e.Error?.Message);
            Write("errorType", e.Error?.GetType().FullName);
            json.WriteEndObject();

            void Write(string member, string? value)
            {
                if (value is not null)
                    json.WriteString(member, value);
            }
        }
        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }
}
