using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Checkpoint;

/// <summary>Writes a document of the dialect, which was checked, as plain JSON on one line. Types that JSON has not become text; live objects become what they hold.</summary>
internal ref struct PlainJson
{
    private readonly BlobReader _blobs;
    private Stream _output;
    private Utf8JsonReader _reader;

    private PlainJson(ReadOnlySpan<byte> document, BlobReader blobs, Stream output)
    {
        (_blobs, _output) = (blobs, output);
        _reader = new Utf8JsonReader(document, RecordFormat.ReaderOptions);
        _reader.Read();
    }

    public static void Write(ReadOnlySpan<byte> document, BlobReader blobs, Stream output)
    {
        new PlainJson(document, blobs, output).Value();
        output.WriteByte((byte)'\n');
    }

    /// <summary>Writes a <c>byte[]</c>, also where it is alone in a list, as its bytes, a text as its text, and of a list each item so on a line; what is neither is written as JSON.</summary>
    public static void WriteRaw(ReadOnlySpan<byte> document, BlobReader blobs, Stream output, LineEnding lines)
    {
        var raw = new PlainJson(document, blobs, output);
        if (raw.TryBytes())
            return;
        if (raw.TryBlobLines(lines.NewLine))
            return;
        if (!raw.TryEnterList(out var item))
        {
            raw.Line();
            if (!lines.IsUnended)
                ByteText.Write(output, lines.NewLine);
            return;
        }
        if (raw.IsOfOneByteArray())
        {
            raw.Next();
            raw.TryBytes();
            return;
        }
        for (raw.Next(); raw._reader.TokenType != JsonTokenType.EndArray;)
        {
            raw.Line(item);
            raw.Next();
            if (!lines.IsUnended || raw._reader.TokenType != JsonTokenType.EndArray)
                ByteText.Write(output, lines.NewLine);
        }
    }

    /// <summary>Writes a scalar that the dialect writes as this text.</summary>
    public static void WriteScalar(Stream output, string type, string text)
    {
        switch (type)
        {
            case "char":
                JsonText.Write(output, ((char)ushort.Parse(text, CultureInfo.InvariantCulture)).ToString());
                break;
            case "half" or "single" or "double" when !char.IsAsciiDigit(text[^1]) || text.StartsWith("NaN", StringComparison.Ordinal):
                JsonText.Write(output, text.StartsWith("NaN", StringComparison.Ordinal) ? "NaN" : text);
                break;
            case "bool" or "byte" or "sbyte" or "int16" or "uint16" or "int32" or "uint32" or "int64" or "uint64" or "int128" or "uint128" or "nint" or "nuint" or "bigint" or "half" or "single" or "double" or "decimal":
                output.Write(Encoding.ASCII.GetBytes(text));
                break;
            case "uri":
                JsonText.Write(output, text.AsSpan(text.IndexOf(':', StringComparison.Ordinal) + 1));
                break;
            default:
                JsonText.Write(output, text);
                break;
        }
    }

    private readonly bool IsOfOneByteArray()
    {
        var at = _reader;
        if (!at.Read() || at.TokenType != JsonTokenType.StartObject)
            return false;
        var item = at;
        at.Skip();
        return item.Read() && item.ValueTextEquals("$byte[]"u8) && at.Read() && at.TokenType == JsonTokenType.EndArray;
    }

    private bool TryBytes()
    {
        var at = _reader;
        if (at.TokenType != JsonTokenType.StartObject || !at.Read() || at.TokenType != JsonTokenType.PropertyName || !at.ValueTextEquals("$byte[]"u8))
            return false;
        at.Read();
        if (at.TokenType == JsonTokenType.String)
        {
            _output.Write(at.GetBytesFromBase64());
            return true;
        }
        var (offset, length) = TypedJson.BlobPlace(ref at);
        foreach (var piece in _blobs.Read(offset, length))
            _output.Write(piece.Span);
        return true;
    }

    // Many numbers lie in a blob.
    private bool TryBlobLines(string newLine)
    {
        var at = _reader;
        if (ListTag(ref at) is not { Item.Scalar: { } type } || at.TokenType != JsonTokenType.StartObject)
            return false;
        var (offset, length) = TypedJson.BlobPlace(ref at);
        BlobJson.WriteLines(_output, type, _blobs.Read(offset, length), newLine);
        return true;
    }

    // Of a list that is tagged the items come behind the tag.
    private bool TryEnterList(out StateTypeName? item)
    {
        item = null;
        if (_reader.TokenType == JsonTokenType.StartArray)
            return true;
        var at = _reader;
        if (ListTag(ref at) is not { } type || at.TokenType != JsonTokenType.StartArray)
            return false;
        item = type.Item;
        _reader = at;
        return true;
    }

    // The type of a tagged list, with the reader behind the tag; or null.
    private static StateTypeName? ListTag(ref Utf8JsonReader at) =>
        at.TokenType == JsonTokenType.StartObject && at.Read() && at.TokenType == JsonTokenType.PropertyName && at.ValueSpan.StartsWith("$"u8)
        && StateTypeName.Parse(at.GetString()![1..]) is { IsList: true, Rank: <= 1 } type && at.Read() ? type : null;

    private void Line(StateTypeName? item = null)
    {
        if (item?.Scalar is { Name: not "string" })
            Item(item);
        else if (TryText() is { } text)
            ByteText.Write(_output, text);
        else
            Value();
    }

    private string? TryText()
    {
        if (_reader.TokenType == JsonTokenType.String)
            return _reader.GetString();
        var at = _reader;
        if (at.TokenType != JsonTokenType.StartObject || !at.Read() || at.TokenType != JsonTokenType.PropertyName || !(at.ValueTextEquals("$utf16"u8) || at.ValueTextEquals("$string"u8)))
            return null;
        var tag = at.GetString()!;
        at.Read();
        string text;
        if (at.TokenType == JsonTokenType.String)
        {
            text = (string)ScalarJson.FromTag(tag, at.GetString()!)!;
        }
        else
        {
            var (offset, length) = TypedJson.BlobPlace(ref at);
            text = BlobJson.Text(_blobs.Read(offset, length));
        }
        at.Read();
        _reader = at;
        return text;
    }

    private void Next() => _reader.Read();

    private void Value()
    {
        switch (_reader.TokenType)
        {
            case JsonTokenType.String:
                JsonText.Write(_output, _reader.GetString());
                break;
            case JsonTokenType.StartArray:
                Items(null);
                break;
            case JsonTokenType.StartObject when TryText() is { } text:
                JsonText.Write(_output, text);
                break;
            case JsonTokenType.StartObject:
                Next();
                if (_reader.TokenType == JsonTokenType.PropertyName && _reader.ValueSpan.StartsWith("$"u8))
                    Tagged();
                else
                    Members(null);
                break;
            default:
                _output.Write(_reader.ValueSpan);
                break;
        }
    }

    private void Tagged()
    {
        var tag = _reader.GetString()!;
        Next();
        if (tag == "$object")
        {
            Next();
            Members(null);
        }
        else if (tag == "$deserialized")
        {
            Live();
        }
        else if (_reader.TokenType == JsonTokenType.String && tag is "$xml" or "$byte[]")
        {
            JsonText.Write(_output, _reader.GetString());
        }
        else if (_reader.TokenType == JsonTokenType.String)
        {
            WriteScalar(_output, tag[1..], _reader.GetString()!);
        }
        else
        {
            Collection(StateTypeName.Parse(tag[1..])!);
        }
        PassRest();
    }

    private void Collection(StateTypeName type)
    {
        if (type.IsMap)
        {
            Map(type.Item);
        }
        else if (_reader.TokenType == JsonTokenType.StartObject)
        {
            var (offset, length) = TypedJson.BlobPlace(ref _reader);
            BlobJson.Write(_output, type.Item!.Scalar!, _blobs.Read(offset, length), isTyped: false);
        }
        else if (type.Rank > 1)
        {
            Next();
            Block(type.Item, Lengths(), 0);
        }
        else
        {
            Items(type.Item);
        }
    }

    // What it wraps, if anything, else its properties, else its text.
    private void Live()
    {
        var at = _reader;
        at.Read();
        var hasProperties = at.TokenType == JsonTokenType.PropertyName;
        at = _reader;
        at.Skip();
        Utf8JsonReader text = default, value = default;
        while (at.Read() && at.TokenType == JsonTokenType.PropertyName)
        {
            var (isText, isValue) = (at.ValueTextEquals("text"u8), at.ValueTextEquals("value"u8));
            at.Read();
            if (isText)
                text = at;
            else if (isValue)
                value = at;
            at.Skip();
        }
        if (value.TokenType == JsonTokenType.None && (hasProperties || text.TokenType == JsonTokenType.None))
        {
            Next();
            Members(null);
            return;
        }
        _reader = value.TokenType == JsonTokenType.None ? text : value;
        Value();
    }

    private void Members(StateTypeName? item)
    {
        _output.WriteByte((byte)'{');
        for (var isFirst = true; _reader.TokenType == JsonTokenType.PropertyName; Next(), isFirst = false)
        {
            Name(_reader.GetString()!, isFirst);
            Next();
            Item(item);
        }
        _output.WriteByte((byte)'}');
    }

    private void Map(StateTypeName? item)
    {
        if (_reader.TokenType == JsonTokenType.StartObject)
        {
            Next();
            Members(item);
            return;
        }
        _output.WriteByte((byte)'{');
        var isFirst = true;
        for (Next(); _reader.TokenType == JsonTokenType.StartArray; Next(), isFirst = false)
        {
            Next();
            Name(Key(), isFirst);
            Next();
            Item(item);
            Next();
        }
        _output.WriteByte((byte)'}');
    }

    // A key that is no text is named by its JSON.
    private string Key()
    {
        if (TryText() is { } text)
            return text;
        var outer = _output;
        using var key = new MemoryStream();
        _output = key;
        Value();
        _output = outer;
        var json = Encoding.UTF8.GetString(key.ToArray());
        return json.StartsWith('"') ? JsonText.Unescape(key.ToArray().AsSpan(1, (int)key.Length - 2)) : json;
    }

    private void Name(string name, bool isFirst)
    {
        if (!isFirst)
            _output.WriteByte((byte)',');
        JsonText.Write(_output, name);
        _output.WriteByte((byte)':');
    }

    private void Items(StateTypeName? item)
    {
        _output.WriteByte((byte)'[');
        var isFirst = true;
        for (Next(); _reader.TokenType != JsonTokenType.EndArray; Next(), isFirst = false)
        {
            if (!isFirst)
                _output.WriteByte((byte)',');
            Item(item);
        }
        _output.WriteByte((byte)']');
    }

    // The last index runs fastest; the reader stands on the next item, and at last on the end.
    private void Block(StateTypeName? item, List<int> lengths, int dimension)
    {
        _output.WriteByte((byte)'[');
        for (var i = 0; i < lengths[dimension]; i++)
        {
            if (i > 0)
                _output.WriteByte((byte)',');
            if (dimension + 1 < lengths.Count)
            {
                Block(item, lengths, dimension + 1);
                continue;
            }
            Item(item);
            Next();
        }
        _output.WriteByte((byte)']');
    }

    private readonly List<int> Lengths()
    {
        var at = _reader;
        while (at.TokenType != JsonTokenType.EndArray)
        {
            at.Skip();
            at.Read();
        }
        at.Read();
        at.Read();
        var lengths = new List<int>();
        while (at.Read() && at.TokenType == JsonTokenType.Number)
            lengths.Add(at.GetInt32());
        return lengths;
    }

    private void Item(StateTypeName? item)
    {
        if (_reader.TokenType == JsonTokenType.String && item?.Scalar is { Name: not "string" } scalar)
            WriteScalar(_output, scalar.Name, _reader.GetString()!);
        else
            Value();
    }

    // To the end of the object that a tag began.
    private void PassRest()
    {
        for (Next(); _reader.TokenType == JsonTokenType.PropertyName; Next())
        {
            Next();
            _reader.Skip();
        }
    }
}
