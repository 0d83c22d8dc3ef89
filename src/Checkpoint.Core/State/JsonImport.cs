using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Checkpoint;

/// <summary>Reads plain JSON and writes it as a document of the dialect, piece by piece.</summary>
internal ref struct JsonImport
{
    /// <summary>How deep arrays and objects may lie in one another; a cmdlet could not restore what lies deeper.</summary>
    private const int MaxDepth = 100;

    private readonly Stream _stream;
    private readonly Utf8JsonWriter _json;
    private readonly CancellationToken _cancellation;
    private byte[] _buffer = new byte[32 * 1024];
    private int _filled, _depth;
    private Utf8JsonReader _reader;

    private JsonImport(Stream stream, Utf8JsonWriter json, CancellationToken cancellation)
    {
        (_stream, _json, _cancellation) = (stream, json, cancellation);
        _filled = stream.ReadAtLeast(_buffer, 3, throwOnEndOfStream: false);
        var mark = _buffer.AsSpan(0, _filled).StartsWith("\uFEFF"u8) ? 3 : 0;
        _filled -= mark;
        _buffer.AsSpan(mark, _filled).CopyTo(_buffer);
        _reader = new Utf8JsonReader(_buffer.AsSpan(0, _filled), isFinalBlock: false, new JsonReaderState(RecordFormat.ReaderOptions));
    }

    /// <summary>Writes the JSON of a stream.</summary>
    /// <exception cref="InvalidArgumentException">It is none, or such as no object of PowerShell can hold.</exception>
    public static void Write(Stream stream, Utf8JsonWriter json, CancellationToken cancellation)
    {
        var import = new JsonImport(stream, json, cancellation);
        try
        {
            import.Next();
            import.Value();
            if (import.TryNext())
                throw Refused("something follows it");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Refused(e.Message.TrimEnd('.'));
        }
    }

    private void Next()
    {
        if (!TryNext())
            throw Refused("it ends too early");
    }

    private bool TryNext()
    {
        while (!_reader.Read())
        {
            if (_reader.IsFinalBlock)
                return false;
            _cancellation.ThrowIfCancellationRequested();
            var rest = _buffer.AsSpan((int)_reader.BytesConsumed, _filled - (int)_reader.BytesConsumed);
            var buffer = rest.Length == _buffer.Length ? new byte[checked(2 * _buffer.Length)] : _buffer;
            rest.CopyTo(buffer);
            _filled = rest.Length;
            _buffer = buffer;
            var read = _stream.Read(_buffer.AsSpan(_filled));
            _filled += read;
            _reader = new Utf8JsonReader(_buffer.AsSpan(0, _filled), isFinalBlock: read == 0, _reader.CurrentState);
        }
        return true;
    }

    private void Value()
    {
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartArray:
                Enter();
                _json.WriteStartArray();
                for (Next(); _reader.TokenType != JsonTokenType.EndArray; Next())
                    Value();
                _json.WriteEndArray();
                _depth--;
                break;
            case JsonTokenType.StartObject:
                Object();
                break;
            case JsonTokenType.String:
                ScalarJson.WriteString(_json, Text());
                break;
            case JsonTokenType.Number:
                ScalarJson.TryWrite(_json, Number());
                break;
            default:
                ScalarJson.TryWrite(_json, _reader.TokenType == JsonTokenType.Null ? null : _reader.GetBoolean());
                break;
        }
    }

    private void Object()
    {
        Enter();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var isTagged = false;
        for (Next(); _reader.TokenType == JsonTokenType.PropertyName; Next())
        {
            var name = Text();
            if (name.Length == 0)
                throw Refused("a property has an empty name, which no object of PowerShell can have");
            if (!ScalarJson.IsUtf16(name))
                throw Refused("the name of a property holds half of a surrogate pair");
            if (names.Count == 0)
            {
                // Where the first name begins as a tag does, it must be said that it is none.
                isTagged = name[0] == ScalarJson.TagMark;
                if (isTagged)
                {
                    _json.WriteStartObject();
                    _json.WritePropertyName("$object"u8);
                }
                _json.WriteStartObject();
            }
            if (!names.Add(name))
                throw Refused($"the property '{name}' stands twice in an object, where case does not count");
            _json.WritePropertyName(name);
            Next();
            Value();
        }
        if (names.Count == 0)
            _json.WriteStartObject();
        _json.WriteEndObject();
        if (isTagged)
            _json.WriteEndObject();
        _depth--;
    }

    private readonly object Number()
    {
        var text = _reader.ValueSpan;
        if (text.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0)
            return _reader.TryGetInt64(out var number) ? number : (object)BigInteger.Parse(Encoding.ASCII.GetString(text), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return Utf8Parser.TryParse(text, out double value, out _) && double.IsFinite(value) ? value : throw Refused($"the number {ShortText.Cut(Encoding.ASCII.GetString(text), 40)} is beyond the range of a double");
    }

    // JSON may name half of a surrogate pair, which the reader refuses.
    private readonly string Text()
    {
        if (_reader.ValueIsEscaped && _reader.ValueSpan.IndexOf("\\u"u8) >= 0)
            return JsonText.Unescape(_reader.ValueSpan);
        return _reader.GetString()!;
    }

    private void Enter()
    {
        if (++_depth > MaxDepth)
            throw Refused($"it is nested deeper than {MaxDepth} levels");
    }

    private static InvalidArgumentException Refused(string reason) => new($"The state cannot be taken as JSON: {reason}. Nothing was saved.");
}
