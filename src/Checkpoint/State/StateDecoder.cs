using System.Collections;
using System.Management.Automation;
using System.Text.Json;
using System.Xml;

namespace Checkpoint;

/// <summary>
/// Reads what <see cref="StateEncoder"/> wrote. The document is read as a stream; no length in it is trusted beyond the bytes that are there, no type is
/// looked up but in <see cref="ClosedTypes"/>, and nothing in it is run.
/// </summary>
internal ref struct StateDecoder
{
    private readonly StateReader _reader;
    private readonly CancellationToken _cancellation;
    private readonly List<Memory<byte>> _blobs = [];
    private long _blobLength;
    private byte[] _buffer = new byte[32 * 1024];
    private int _filled;
    private Utf8JsonReader _json;
    private int _depth;
    private bool _isKey;

    private StateDecoder(StateReader reader, CancellationToken cancellation)
    {
        _reader = reader;
        _cancellation = cancellation;
        _json = new Utf8JsonReader([], isFinalBlock: false, new JsonReaderState(RecordFormat.ReaderOptions));
    }

    /// <summary>The state as one object; for a sequence, a list of its elements.</summary>
    public static object? Decode(StateReader reader, CancellationToken cancellation)
    {
        var decoder = new StateDecoder(reader, cancellation);
        decoder.Next();
        var value = decoder.ReadValue();
        if (decoder.TryNext())
            throw new JsonException("Something follows the state.");
        foreach (var blob in decoder._blobs)
            reader.ReadBlob(blob, cancellation);
        return value;
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
            // A token that fills the buffer, such as a long key, needs a larger one; it cannot be larger than the document.
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

    private object? ReadValue()
    {
        switch (_json.TokenType)
        {
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.True:
                return true;
            case JsonTokenType.False:
                return false;
            case JsonTokenType.String:
                return _json.GetString();
            case JsonTokenType.Number:
                return ScalarJson.ReadNumber(ref _json);
            case JsonTokenType.StartArray:
                return ReadItems(null).ToArray();
            case JsonTokenType.StartObject:
                Next();
                return _json.TokenType == JsonTokenType.PropertyName && _json.ValueSpan.StartsWith("$"u8) ? ReadTagged() : ReadObject(JsonTokenType.EndObject);
            default:
                throw new JsonException("A value was expected.");
        }
    }

    private object? ReadTagged()
    {
        var tag = _json.GetString()!;
        Next();
        switch (tag)
        {
            case StateTags.Object:
                return ReadTypedObject();
            case StateTags.Deserialized:
                return ReadDeserialized();
            case StateTags.Xml:
                return ReadXml();
            case StateTags.SecureString:
                var text = SecureText.Parse(_json.GetBytesFromBase64());
                EndObject();
                return text;
            case StateTags.Credential:
                return ReadCredential();
        }
        if (_json.TokenType == JsonTokenType.String && tag != "$byte[]")
        {
            var value = ScalarJson.FromTag(tag, _json.GetString()!) ?? throw Unknown(tag);
            EndObject();
            return value;
        }
        var type = tag == "$string" ? typeof(string) : ClosedTypes.Find(tag[1..]) ?? throw Unknown(tag);
        return typeof(IDictionary).IsAssignableFrom(type) ? ReadMap(type) : ReadList(type);
    }

    private XmlDocument ReadXml()
    {
        Expect(JsonTokenType.String);
        var text = _json.GetString()!;
        EndObject();
        return StateXml.Parse(text);
    }

    private PSCredential ReadCredential()
    {
        var password = SecureText.Parse(_json.GetBytesFromBase64());
        Next();
        if (!IsMember(StateTags.User))
            throw new JsonException("A credential has no user.");
        Next();
        var user = ReadValue() as string ?? throw new JsonException("A text was expected.");
        EndObject();
        // The empty one can be had only as this.
        return user.Length == 0 ? PSCredential.Empty : new PSCredential(user, password);
    }

    private PSObject ReadTypedObject()
    {
        Expect(JsonTokenType.StartObject);
        Next();
        var bag = ReadObject(JsonTokenType.EndObject);
        Next();
        if (IsMember(StateTags.Types))
        {
            bag.TypeNames.Clear();
            foreach (var type in ReadTexts())
                bag.TypeNames.Add(type);
            bag.TypeNames.Add("System.Management.Automation.PSCustomObject");
            bag.TypeNames.Add("System.Object");
            Next();
        }
        Expect(JsonTokenType.EndObject);
        return bag;
    }

    private PSObject ReadObject(JsonTokenType end)
    {
        Enter();
        var bag = new PSObject();
        // Not asked of the object: it has the members that type data of this session adds too.
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        while (_json.TokenType == JsonTokenType.PropertyName)
        {
            var name = _json.GetString()!;
            Next();
            var value = ReadValue();
            if (!names.Add(name))
                throw new JsonException($"The property '{name}' stands twice.");
            bag.Properties.Add(new PSNoteProperty(name, value), preValidated: true);
            Next();
        }
        Expect(end);
        _depth--;
        return bag;
    }

    private PSObject ReadDeserialized()
    {
        Enter();
        var properties = new List<KeyValuePair<string, object?>>();
        Expect(JsonTokenType.StartObject);
        for (Next(); _json.TokenType == JsonTokenType.PropertyName; Next())
        {
            var name = _json.GetString()!;
            Next();
            properties.Add(new(name, ReadValue()));
        }
        Expect(JsonTokenType.EndObject);
        IReadOnlyList<string> types = [];
        var text = "";
        object? baseValue = null;
        for (Next(); _json.TokenType == JsonTokenType.PropertyName; Next())
        {
            if (IsMember(StateTags.Types))
            {
                types = ReadTexts();
                continue;
            }
            var member = _json.GetString();
            Next();
            var value = ReadValue();
            if (member == StateTags.Text)
                text = value as string ?? "";
            else if (member == StateTags.Value)
                baseValue = value;
        }
        Expect(JsonTokenType.EndObject);
        _depth--;
        return LiveObject.Restore(types, text, baseValue, properties);
    }

    private object ReadList(Type type)
    {
        var element = type == typeof(string) ? typeof(char) : type.IsArray ? type.GetElementType()! : type.IsGenericType ? type.GetGenericArguments()[0] : typeof(object);
        object list;
        switch (_json.TokenType)
        {
            case JsonTokenType.String when type == typeof(byte[]):
                list = _json.GetBytesFromBase64();
                EndObject();
                return list;
            case JsonTokenType.StartObject:
                list = ReadBlob(type, element);
                EndObject();
                return list;
        }
        Expect(JsonTokenType.StartArray);
        var outer = _isKey;
        _isKey |= type.IsGenericType && type.GetGenericTypeDefinition() == typeof(HashSet<>);
        var items = ReadItems(element);
        _isKey = outer;
        Next();
        if (type.IsArray)
        {
            var lengths = type.IsSZArray ? [items.Count] : ReadLengths();
            list = Collections.ToArray(element, items, lengths);
        }
        else
        {
            list = Collections.Create(type, element, items, ReadComparer());
        }
        Expect(JsonTokenType.EndObject);
        return list;
    }

    private int[] ReadLengths()
    {
        if (!IsMember(StateTags.Lengths))
            throw new JsonException("An array of several dimensions has no lengths.");
        Next();
        var lengths = ReadItems(typeof(int)).Cast<int>().ToArray();
        Next();
        return lengths;
    }

    private object ReadBlob(Type type, Type element)
    {
        Next();
        if (_isKey || !IsMember(StateTags.Blob))
            throw new JsonException("A blob was expected.");
        Next();
        var place = ReadLongs();
        EndObject();
        if (ScalarType.For(element) is not { BlobElementSize: > 0 } scalar || (type != typeof(string) && !type.IsSZArray))
            throw new JsonException($"A {type} cannot be a blob.");
        // The blobs lie one behind the other in the order of the document, and fill exactly what the payload has room for.
        if (place.Count != 2 || place[0] != _blobLength || place[1] < 0 || place[1] > _reader.BlobsLength - _blobLength || place[1] % scalar.BlobElementSize != 0)
            throw new JsonException("A blob lies outside the payload.");
        _blobLength += place[1];
        var length = checked((int)(place[1] / scalar.BlobElementSize));
        if (type == typeof(string))
        {
            // Nobody has seen the string before it is filled.
            var text = new string('\0', length);
            _blobs.Add(new TextMemory(text).Memory);
            return text;
        }
        var array = scalar.NewArray(length);
        _blobs.AddRange(scalar.AsBytes(array));
        return array;
    }

    private List<long> ReadLongs()
    {
        Expect(JsonTokenType.StartArray);
        var numbers = new List<long>();
        for (Next(); _json.TokenType == JsonTokenType.Number; Next())
            numbers.Add(_json.GetInt64());
        Expect(JsonTokenType.EndArray);
        return numbers;
    }

    private List<object?> ReadItems(Type? element)
    {
        Enter();
        Expect(JsonTokenType.StartArray);
        var items = new List<object?>();
        for (Next(); _json.TokenType != JsonTokenType.EndArray; Next())
            items.Add(ReadElement(element));
        _depth--;
        return items;
    }

    private object? ReadElement(Type? element)
    {
        if (element is not null && _json.TokenType == JsonTokenType.String && element != typeof(string) && ScalarType.For(element) is { } scalar)
            return scalar.Parse(_json.GetString()!);
        return ReadValue();
    }

    private IDictionary ReadMap(Type type)
    {
        Enter();
        var valueType = type.IsGenericType ? type.GetGenericArguments()[1] : null;
        var entries = new List<(object Key, object? Value)>();
        if (_json.TokenType == JsonTokenType.StartObject)
        {
            for (Next(); _json.TokenType == JsonTokenType.PropertyName; Next())
            {
                var key = _json.GetString()!;
                Next();
                entries.Add((key, ReadElement(valueType)));
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
                var key = ReadValue() ?? throw new JsonException("A key cannot be null.");
                _isKey = outer;
                Next();
                entries.Add((key, ReadElement(valueType)));
                Next();
                Expect(JsonTokenType.EndArray);
            }
            Expect(JsonTokenType.EndArray);
        }
        Next();
        var map = Collections.CreateMap(type, entries, ReadComparer());
        Expect(JsonTokenType.EndObject);
        _depth--;
        return map;
    }

    private string? ReadComparer()
    {
        if (!IsMember(StateTags.Comparer))
            return null;
        Next();
        var name = _json.GetString();
        Next();
        return name;
    }

    private List<string> ReadTexts()
    {
        Next();
        return ReadItems(typeof(string)).Select(t => t as string ?? throw new JsonException("A text was expected.")).ToList();
    }

    private readonly bool IsMember(string name) => _json.TokenType == JsonTokenType.PropertyName && _json.ValueTextEquals(name);

    private void Enter()
    {
        if (++_depth > ObjectPath.MaxDepth + 1)
            throw new JsonException($"The state is nested deeper than {ObjectPath.MaxDepth} levels.");
    }

    private void EndObject()
    {
        Next();
        Expect(JsonTokenType.EndObject);
    }

    private readonly void Expect(JsonTokenType type)
    {
        if (_json.TokenType != type)
            throw new JsonException($"Where {type} was expected, there is {_json.TokenType}.");
    }

    private static JsonException Unknown(string tag) => new($"'{tag}' is no type of this format.");
}
