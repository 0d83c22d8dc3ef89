using System.Buffers;
using System.Buffers.Text;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Checkpoint;

/// <summary>One entry of a journal of items as one line of JSON, with a checksum of its own. docs/format.md describes the same for other programs.</summary>
internal static class ItemFormat
{
    /// <summary>The version this code writes, and the newest it reads.</summary>
    public const int Version = 1;

    // {"crc":"01234567","id":"0123456789abcdef0123456789abcdef","status":"done"
    private const int CrcStart = 8, CrcDigits = 8, BodyStart = CrcStart + CrcDigits + 2, IdStart = BodyStart + 6, IdEnd = IdStart + ItemId.Digits;

    /// <summary>No line has more bytes; a longer one is damage, which must not take all memory.</summary>
    public const int MaxLine = 16 << 20;

    // A key is there for people, and so is an error.
    private const int MaxKey = 200, MaxError = 1 << 20;

    private static readonly JsonWriterOptions Options = RecordFormat.WriterOptions with { Indented = false };

    public static ReadOnlySpan<byte> LineStart => "{\"crc\":\""u8;

    private static ReadOnlySpan<byte> Id => "\"id\":\""u8;

    private static ReadOnlySpan<byte> Done => "\",\"status\":\"done\""u8;

    private static ReadOnlySpan<byte> Failed => "\",\"status\":\"failed\""u8;

    private static ReadOnlySpan<byte> Output => ",\"output\":"u8;

    private static ReadOnlySpan<byte> Format => "\"format\":"u8;

    private static ReadOnlySpan<byte> Worker => "\"worker\":"u8;

    /// <summary>The first line of a journal, with its line feed.</summary>
    public static void WriteHead(ArrayBufferWriter<byte> buffer, StageId stage) => WriteLine(buffer, json =>
    {
        json.WriteNumber("format"u8, Version);
        json.WriteString("pipeline"u8, stage.Pipeline);
        if (stage.Run is not null)
            json.WriteString("run"u8, stage.Run);
        json.WriteString("name"u8, stage.Name);
    });

    /// <summary>An entry's line, with its line feed.</summary>
    public static void Write(ArrayBufferWriter<byte> buffer, ItemEntry entry) => WriteLine(buffer, json =>
    {
        json.WriteString("id"u8, entry.Id.ToString());
        json.WriteString("status"u8, entry.Error is null ? "done"u8 : "failed"u8);
        if (entry.Output is { } output)
            WriteOutput(json, output);
        json.WriteString("key"u8, Printable(entry.Key, MaxKey));
        json.WriteString("at"u8, entry.At);
        if (entry.Error is not null)
            json.WriteString("error"u8, Printable(entry.Error, MaxError));
    });

    /// <summary>The line of one of those who work on the items together, with its line feed.</summary>
    public static void Write(ArrayBufferWriter<byte> buffer, WorkerLine line) => WriteLine(buffer, json =>
    {
        json.WriteNumber("worker"u8, line.Worker);
        json.WriteNumber("token"u8, line.Token);
        json.WriteString("at"u8, line.At);
        WriteIds("claimed"u8, line.Claimed);
        WriteIds("released"u8, line.Released);

        void WriteIds(ReadOnlySpan<byte> name, IReadOnlyList<ItemId> ids)
        {
            if (ids.Count == 0)
                return;
            json.WriteStartArray(name);
            foreach (var id in ids)
                json.WriteStringValue(id.ToString());
            json.WriteEndArray();
        }
    });

    /// <summary>What a whole line says of one of those who work on the items together; null where it says no such thing.</summary>
    public static WorkerLine? TryReadWorker(ReadOnlySpan<byte> line)
    {
        if (!line[BodyStart..].StartsWith(Worker))
            return null;
        try
        {
            using var document = JsonDocument.Parse(line.ToArray());
            var root = document.RootElement;
            return new WorkerLine(root.GetProperty("worker").GetInt32(), root.GetProperty("token").GetInt64(), root.GetProperty("at").GetDateTimeOffset()) { Claimed = Ids("claimed"), Released = Ids("released") };

            List<ItemId> Ids(string name) => root.TryGetProperty(name, out var ids) ? [.. ids.EnumerateArray().Select(id => ReadId(id.GetString()))] : [];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Whether a line is, byte for byte, what was written.</summary>
    /// <param name="line">The line without its line feed.</param>
    public static bool IsWhole(ReadOnlySpan<byte> line) =>
        line.Length > BodyStart && line.StartsWith(LineStart) && line[BodyStart - 2] == '"' && line[BodyStart - 1] == ','
        && TryReadHex(line.Slice(CrcStart, CrcDigits), out var crc) && crc == Checksum(line[BodyStart..]);

    /// <summary>The lines in a line: more than one where the line feed between two was damaged, which costs only the first.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Pieces(ReadOnlyMemory<byte> line)
    {
        while (!IsWhole(line.Span) && line.Length > 1 && line.Span[1..].IndexOf(LineStart) is >= 0 and var next)
        {
            yield return line[..(1 + next)];
            line = line[(1 + next)..];
        }
        yield return line;
    }

    /// <summary>The stage that a whole line tells, where it is a head.</summary>
    public static StageId? ReadHead(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var head = document.RootElement;
            return head.TryGetProperty("format", out _) ? new StageId(head.GetProperty("pipeline").GetString()!, head.TryGetProperty("run", out var run) ? run.GetString() : null, head.GetProperty("name").GetString()!) : null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or CheckpointException)
        {
            return null;
        }
    }

    /// <summary>What a whole line says of an item.</summary>
    /// <returns>False where it is none of an item.</returns>
    public static bool TryParse(ReadOnlySpan<byte> line, out ItemId id, out bool isDone, out bool hasOutput)
    {
        (id, isDone, hasOutput) = (default, false, false);
        var body = line[BodyStart..];
        if (line.Length < IdEnd || !body.StartsWith(Id) || !TryReadHex(line.Slice(IdStart, 16), out var high) || !TryReadHex(line.Slice(IdStart + 16, 16), out var low))
            return false;
        id = new ItemId(high, low);
        var rest = line[IdEnd..];
        isDone = rest.StartsWith(Done);
        hasOutput = isDone && rest[Done.Length..].StartsWith(Output);
        return isDone || rest.StartsWith(Failed);
    }

    /// <summary>The version that a whole line tells, where it is a head.</summary>
    public static long? VersionOf(ReadOnlySpan<byte> line) =>
        line[BodyStart..].StartsWith(Format) && Utf8Parser.TryParse(line[(BodyStart + Format.Length)..], out long version, out _) ? version : null;

    /// <summary>The output that a whole line keeps.</summary>
    /// <exception cref="InvalidDataException">It keeps none that can be read.</exception>
    public static ItemOutput ReadOutput(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = RecordFormat.ReaderOptions.MaxDepth });
            var output = document.RootElement.GetProperty("output");
            var encryption = output.TryGetProperty("encryption", out var envelope) ? Envelope.Parse(envelope) : null;
            if (output.TryGetProperty(encryption is null ? "value" : "sealed", out var value))
            {
                var inline = encryption is null ? Encoding.UTF8.GetBytes(value.GetRawText()) : value.GetBytesFromBase64();
                return new ItemOutput(new StoredState { IsSequence = true, Inline = inline }, 0) { Encryption = encryption };
            }
            var state = new StoredState
            {
                IsSequence = true,
                Payload = !output.TryGetProperty("file", out var file) ? FolderLayout.ItemOutputsName
                    : file.GetString() is { } name && FolderLayout.IsItemOutputs(name) ? name : throw new FormatException("the name of the file of the outputs is none"),
                PayloadLength = output.GetProperty("length").GetInt64(),
                DocumentLength = output.GetProperty("documentLength").GetInt64(),
                Sha256 = Convert.FromHexString(output.GetProperty("sha256").GetString()!),
            };
            return new ItemOutput(state, output.GetProperty("offset").GetInt64()) { Encryption = encryption };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException("the line of the journal keeps no output", e);
        }
    }

    /// <summary>What a whole line of an item that is done says, with its output; null where it says no such thing.</summary>
    public static ItemEntry? TryReadEntry(ReadOnlyMemory<byte> line)
    {
        try
        {
            var output = ReadOutput(line);
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = RecordFormat.ReaderOptions.MaxDepth });
            return !TryParse(line.Span, out var id, out _, out _) ? null
                : new ItemEntry { Id = id, Key = document.RootElement.GetProperty("key").GetString()!, At = document.RootElement.GetProperty("at").GetDateTimeOffset(), Output = output };
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Reads a whole line of an item that failed.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static ItemEntry ReadFailure(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            return new ItemEntry { Id = ReadId(root.GetProperty("id").GetString()), Key = root.GetProperty("key").GetString()!, At = root.GetProperty("at").GetDateTimeOffset().ToUniversalTime(), Error = root.GetProperty("error").GetString() };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException("the line is not that of an item that failed", e);
        }
    }

    private static void WriteOutput(Utf8JsonWriter json, ItemOutput output)
    {
        json.WriteStartObject("output"u8);
        output.Encryption?.WriteTo(json);
        if (output.State.Payload is null && output.Encryption is not null)
        {
            json.WriteBase64String("sealed"u8, output.State.Inline.Span);
        }
        else if (output.State.Payload is null)
        {
            json.WritePropertyName("value"u8);
            json.WriteRawValue(output.State.Inline.Span, skipInputValidation: true);
        }
        else
        {
            if (output.State.Payload != FolderLayout.ItemOutputsName && FolderLayout.IsItemOutputs(output.State.Payload))
                json.WriteString("file"u8, output.State.Payload);
            json.WriteNumber("offset"u8, output.Offset);
            json.WriteNumber("length"u8, output.State.PayloadLength);
            json.WriteNumber("documentLength"u8, output.State.DocumentLength);
            json.WriteString("sha256"u8, FingerprintHash.Hex(output.State.Sha256));
        }
        json.WriteEndObject();
    }

    private static void WriteLine(ArrayBufferWriter<byte> buffer, Action<Utf8JsonWriter> write)
    {
        buffer.Write(LineStart);
        var start = buffer.WrittenCount;
        buffer.Write("00000000\""u8);
        var opened = buffer.WrittenCount;
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        var line = MemoryMarshal.AsMemory(buffer.WrittenMemory).Span;
        // The brace that the writer opened is the comma behind the checksum.
        line[opened] = (byte)',';
        Utf8Formatter.TryFormat(Checksum(line[(opened + 1)..]), line[start..], out _, new StandardFormat('x', CrcDigits));
        buffer.Write("\n"u8);
    }

    // CRC-32C (RFC 3720, B.4), which finds every burst of errors up to 32 bits and which processors compute themselves.
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }

    private static ItemId ReadId(string? text) =>
        text is { Length: ItemId.Digits } && TryReadHex(Encoding.UTF8.GetBytes(text[..16]), out var high) && TryReadHex(Encoding.UTF8.GetBytes(text[16..]), out var low)
            ? new ItemId(high, low) : throw new FormatException("the id of an item is none");

    private static bool TryReadHex(ReadOnlySpan<byte> digits, out ulong value)
    {
        value = 0;
        foreach (var digit in digits)
        {
            var nibble = digit is >= (byte)'0' and <= (byte)'9' ? digit - '0' : digit is >= (byte)'a' and <= (byte)'f' ? digit - 'a' + 10 : -1;
            if (nibble < 0)
                return false;
            value = (value << 4) | (uint)nibble;
        }
        return true;
    }

    // Half of a surrogate pair has no UTF-8; the id tells such keys apart.
    private static string Printable(string text, int longest)
    {
        var cut = text.Length <= longest ? text : text[..(char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest)] + "…";
        return ScalarJson.IsUtf16(cut) ? cut : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(cut));
    }
}
