using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Checkpoint;

/// <summary>
/// One event as one line of JSON that ends in its number and in a hash of it and of the line before, so that a line which is changed, removed or moved later is found.
/// docs/format.md describes the same for other programs.
/// </summary>
internal static class HistoryFormat
{
    private const int ChainDigits = 2 * SHA256.HashSizeInBytes;

    /// <summary>The longest end of a line that a link is read from, with its line feed.</summary>
    public const int LinkLength = 10 + 19 + 10 + ChainDigits + 3;

    /// <summary>No line has more bytes; a longer one is damage.</summary>
    public const int MaxLine = 1 << 20;

    private static readonly JsonWriterOptions Options = RecordFormat.WriterOptions with { Indented = false };

    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdef"u8);

    private static ReadOnlySpan<byte> NumberStart => ",\"number\":"u8;

    private static ReadOnlySpan<byte> ChainStart => ",\"chain\":\""u8;

    private static ReadOnlySpan<byte> ChainEnd => "\"}"u8;

    /// <summary>The event's line, with its line feed.</summary>
    /// <param name="buffer">Where it goes.</param>
    /// <param name="entry">The event.</param>
    /// <param name="previous">The line before.</param>
    /// <param name="lost">How many lines before it were found to be missing.</param>
    /// <returns>The line's own place in the chain.</returns>
    public static HistoryLink Write(ArrayBufferWriter<byte> buffer, CheckpointEvent entry, HistoryLink previous, long lost = 0)
    {
        var start = buffer.WrittenCount;
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
            if (entry.Until is { } until)
                json.WriteString("until"u8, until);
            json.WriteString("host"u8, entry.Host);
            json.WriteString("user"u8, entry.User);
            json.WriteNumber("processId"u8, entry.ProcessId);
            if (lost > 0)
                json.WriteNumber("lost"u8, lost);
            json.WriteNumber("number"u8, previous.Number + 1);
            json.WriteEndObject();
        }
        var line = MemoryMarshal.AsMemory(buffer.WrittenMemory).Span[start..];
        var chain = Chain(previous.Chain, line[..^1]);
        // The brace that the writer closed is the comma before the chain.
        line[^1] = ChainStart[0];
        buffer.Write(ChainStart[1..]);
        Encoding.ASCII.GetBytes(chain, buffer);
        buffer.Write(ChainEnd);
        buffer.Write("\n"u8);
        return new HistoryLink(previous.Number + 1, chain);
    }

    /// <summary>The chain of a line.</summary>
    /// <param name="previous">That of the line before.</param>
    /// <param name="body">The line up to the comma before its own.</param>
    public static string Chain(string previous, ReadOnlySpan<byte> body)
    {
        var length = ChainDigits + body.Length;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        Encoding.ASCII.GetBytes(previous, rented);
        body.CopyTo(rented.AsSpan(ChainDigits));
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(rented.AsSpan(0, length), hash);
        ArrayPool<byte>.Shared.Return(rented);
        return FingerprintHash.Hex(hash);
    }

    public static bool IsChain(ReadOnlySpan<byte> text) => text.Length == ChainDigits && !text.ContainsAnyExcept(HexDigits);

    /// <summary>Reads the place in the chain that stands at the end of a line, right or not.</summary>
    /// <param name="line">The line, or its end, without its line feed.</param>
    /// <param name="link">The place.</param>
    /// <param name="body">The length of what the chain is of.</param>
    public static bool TryReadLink(ReadOnlySpan<byte> line, out HistoryLink link, out int body)
    {
        link = HistoryLink.Start;
        body = line.Length - ChainEnd.Length - ChainDigits - ChainStart.Length;
        if (body <= 0 || !line.EndsWith(ChainEnd) || !line[body..].StartsWith(ChainStart))
            return false;
        var digits = line.Slice(body + ChainStart.Length, ChainDigits);
        var number = line[..body].LastIndexOf(NumberStart);
        if (number < 0 || !IsChain(digits) || !Utf8Parser.TryParse(line[(number + NumberStart.Length)..body], out long value, out var used)
            || used != body - number - NumberStart.Length || value <= 0)
            return false;
        link = new HistoryLink(value, Encoding.ASCII.GetString(digits));
        return true;
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
        DateTimeOffset? time = null, until = null;
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
                case "until":
                    until = json.GetDateTimeOffset().ToUniversalTime();
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
        return new CheckpointEvent { Store = store, Time = at, Event = kind, Pipeline = pipeline, Run = run, Name = name, Step = step, Reason = reason, Until = until, Host = host ?? "", User = user ?? "", ProcessId = process };
    }

    private static void WriteText(Utf8JsonWriter json, string member, string? text)
    {
        if (text is not null)
            json.WriteString(member, text);
    }
}
