using System.Text.Json;

namespace Checkpoint;

/// <summary>Reads a state through without making it: whether its document is one of the dialect, and its blobs lie where they must. Takes no more memory than its longest token.</summary>
internal ref struct StateCheck
{
    // As deep as a decoder goes.
    private const int MaxDepth = 101;

    private readonly StateReader _reader;
    private readonly CancellationToken _cancellation;
    private byte[] _buffer = new byte[32 * 1024];
    private int _filled, _depth;
    private long _blobLength;
    private bool _isKey, _hasSecrets;
    private Utf8JsonReader _json;

    private StateCheck(StateReader reader, CancellationToken cancellation)
    {
        _reader = reader;
        _cancellation = cancellation;
        _json = new Utf8JsonReader([], isFinalBlock: false, new JsonReaderState(RecordFormat.ReaderOptions));
    }

    /// <summary>Why what is, byte for byte, what its record says is yet no state, in a sentence; null where it is one. The blobs are not read.</summary>
    public static string? WhyNone(StateReader reader, CancellationToken cancellation)
    {
        try
        {
            Check(reader, cancellation);
            return null;
        }
        catch (InvalidDataException e)
        {
            return $"The state is, byte for byte, what its record says, and yet no state: {e.Message}. Another version of Checkpoint or another program wrote it.";
        }
    }

    /// <summary>Checks the document; the blobs are not read.</summary>
    /// <returns>Whether there is a secret in it.</returns>
    /// <exception cref="InvalidDataException">It is not one; the message says why.</exception>
    public static bool Check(StateReader reader, CancellationToken cancellation)
    {
        var check = new StateCheck(reader, cancellation);
        try
        {
            check.Next();
            check.Value();
            if (check.TryNext())
                throw new JsonException("Something follows the state.");
            if (check._blobLength != reader.BlobsLength)
                throw new JsonException("The payload holds more than its document refers to.");
            return check._hasSecrets;
        }
        catch (Exception e) when (e is JsonException or FormatException or OverflowException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException(e.Message.TrimEnd('.'), e);
        }
    }

    private void Next()
    {
        if (!TryNext())
            throw new JsonException("The document ends too early.");
    }

    private bool TryNext()
    {
        while (!_json.Read())
        {
            if (_json.IsFinalBlock)
                return false;
            _cancellation.ThrowIfCancellationRequested();
            var rest = _buffer.AsSpan((int)_json.BytesConsumed, _filled - (int)_json.BytesConsumed);
            var buffer = rest.Length == _buffer.Length ? new byte[checked(2 * _buffer.Length)] : _buffer;
            rest.CopyTo(buffer);
            _filled = rest.Length;
            _buffer = buffer;
            var read = _reader.ReadDocument(_buffer.AsSpan(_filled));
            _filled += read;
            _json = new Utf8JsonReader(_buffer.AsSpan(0, _filled), isFinalBlock: read == 0, _json.CurrentState);
        }
        return true;
    }

    private void Value()
    {
        switch (_json.TokenType)
        {
            case JsonTokenType.Number:
                ScalarJson.ReadNumber(ref _json);
                break;
            case JsonTokenType.StartArray:
                Items(null);
                break;
            case JsonTokenType.StartObject:
                Next();
                if (_json.TokenType == JsonTokenType.PropertyName && _json.ValueSpan.StartsWith("$"u8))
                    Tagged();
                else
                    Members(isUnique: true);
                break;
            case JsonTokenType.Null or JsonTokenType.True or JsonTokenType.False or JsonTokenType.String:
                break;
            default:
                throw new JsonException("A value was expected.");
        }
    }

    private void Tagged()
    {
        var tag = _json.GetString()!;
        Next();
        switch (tag)
        {
            case "$object" or "$deserialized":
                Expect(JsonTokenType.StartObject);
                Next();
                Members(isUnique: tag == "$object");
                Next();
                Members(isUnique: false);
                return;
            case "$xml":
                Expect(JsonTokenType.String);
                EndObject();
                return;
            case "$securestring":
                _hasSecrets = true;
                _json.GetBytesFromBase64();
                EndObject();
                return;
            case "$pscredential":
                _hasSecrets = true;
                _json.GetBytesFromBase64();
                Next();
                ExpectMember("user"u8);
                Value();
                EndObject();
                return;
        }
        if (_json.TokenType == JsonTokenType.String && tag != "$byte[]")
        {
            _ = ScalarJson.FromTag(tag, _json.GetString()!) ?? throw Unknown(tag);
            EndObject();
            return;
        }
        var type = StateTypeName.Parse(tag[1..]) ?? throw Unknown(tag);
        if (type.IsMap)
            Map(type);
        else if (type.IsList || type.Word == "string")
            List(type);
        else
            throw Unknown(tag);
    }

    // From behind the brace, or the last value, to the closing brace.
    private void Members(bool isUnique)
    {
        Enter();
        var names = isUnique ? new HashSet<string>(StringComparer.OrdinalIgnoreCase) : null;
        for (; _json.TokenType == JsonTokenType.PropertyName; Next())
        {
            var name = _json.GetString()!;
            if (names?.Add(name) == false)
                throw new JsonException($"The property '{name}' stands twice.");
            Next();
            Value();
        }
        Expect(JsonTokenType.EndObject);
        _depth--;
    }

    private void List(StateTypeName type)
    {
        if (_json.TokenType == JsonTokenType.String && type is { Rank: 1, Item.Word: "byte" })
        {
            _json.GetBytesFromBase64();
            EndObject();
            return;
        }
        if (_json.TokenType == JsonTokenType.StartObject)
        {
            Blob(type.Word == "string" ? ScalarType.Named("char") : type.Rank == 1 ? type.Item!.Scalar : null);
            EndObject();
            return;
        }
        var outer = _isKey;
        _isKey |= type.Word == "hashset";
        var count = Items(type.Item);
        _isKey = outer;
        Next();
        if (type.Rank > 1)
            Lengths(type.Rank, count);
        else if (type.Rank == 0)
            Comparer();
        Expect(JsonTokenType.EndObject);
    }

    private void Lengths(int rank, long count)
    {
        ExpectMember("lengths"u8);
        Expect(JsonTokenType.StartArray);
        var product = 1L;
        for (Next(); _json.TokenType == JsonTokenType.Number; Next(), rank--)
            product = checked(product * _json.GetInt32());
        Expect(JsonTokenType.EndArray);
        if (rank != 0 || product != count)
            throw new JsonException("The lengths of an array are not those of its items.");
        Next();
    }

    // The blobs lie one behind the other in the order of the document, and fill exactly what the payload has room for.
    private void Blob(ScalarType? item)
    {
        Next();
        ExpectMember("blob"u8);
        Expect(JsonTokenType.StartArray);
        Next();
        var offset = _json.GetInt64();
        Next();
        var length = _json.GetInt64();
        Next();
        Expect(JsonTokenType.EndArray);
        EndObject();
        if (_isKey || item is not { BlobElementSize: > 0 } || offset != _blobLength || length < 0 || length > _reader.BlobsLength - _blobLength || length % item.BlobElementSize != 0)
            throw new JsonException("A blob lies where none can be.");
        _blobLength += length;
    }

    private long Items(StateTypeName? item)
    {
        Enter();
        Expect(JsonTokenType.StartArray);
        var count = 0L;
        for (Next(); _json.TokenType != JsonTokenType.EndArray; Next(), count++)
            Item(item);
        _depth--;
        return count;
    }

    private void Item(StateTypeName? item)
    {
        if (_json.TokenType == JsonTokenType.String && item?.Scalar is { Name: not "string" } scalar)
            scalar.Parse(_json.GetString()!);
        else
            Value();
    }

    private void Map(StateTypeName type)
    {
        Enter();
        if (_json.TokenType == JsonTokenType.StartObject)
        {
            for (Next(); _json.TokenType == JsonTokenType.PropertyName; Next())
            {
                Next();
                Item(type.Item);
            }
            Expect(JsonTokenType.EndObject);
        }
        else
        {
            Expect(JsonTokenType.StartArray);
            for (Next(); _json.TokenType == JsonTokenType.StartArray; Next())
            {
                Next();
                var outer = _isKey;
                _isKey = true;
                Value();
                _isKey = outer;
                Next();
                Item(type.Item);
                Next();
                Expect(JsonTokenType.EndArray);
            }
            Expect(JsonTokenType.EndArray);
        }
        Next();
        Comparer();
        Expect(JsonTokenType.EndObject);
        _depth--;
    }

    private void Comparer()
    {
        if (_json.TokenType != JsonTokenType.PropertyName)
            return;
        ExpectMember("comparer"u8);
        if (_json.GetString() is not ("exact" or "ignoreCase"))
            throw new JsonException("There is no such comparer.");
        Next();
    }

    private void Enter()
    {
        if (++_depth > MaxDepth)
            throw new JsonException($"The state is nested deeper than {MaxDepth - 1} levels.");
    }

    private void EndObject()
    {
        Next();
        Expect(JsonTokenType.EndObject);
    }

    private void ExpectMember(ReadOnlySpan<byte> name)
    {
        if (_json.TokenType != JsonTokenType.PropertyName || !_json.ValueTextEquals(name))
            throw new JsonException("A member is missing.");
        Next();
    }

    private readonly void Expect(JsonTokenType type)
    {
        if (_json.TokenType != type)
            throw new JsonException($"Where {type} was expected, there is {_json.TokenType}.");
    }

    private static JsonException Unknown(string tag) => new($"'{tag}' is no type of this format.");
}
