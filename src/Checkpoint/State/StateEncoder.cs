using System.Collections;
using System.Management.Automation;
using System.Text.Json;
using System.Xml;

namespace Checkpoint;

/// <summary>Writes an object as a state: its JSON document, and as blobs the long arrays and strings in it.</summary>
internal sealed class StateEncoder
{
    private readonly ObjectPath _path;
    private readonly StateWriter _writer;
    private readonly Utf8JsonWriter _json;
    private readonly CancellationToken _cancellation;
    private bool _isKey;

    public StateEncoder(StateWriter writer, Utf8JsonWriter json, CancellationToken cancellation)
    {
        _path = new ObjectPath("$state", isSecret: writer.KeepsSecrets);
        _writer = writer;
        _json = json;
        _cancellation = cancellation;
    }

    /// <summary>Writes a value with all that is in it.</summary>
    /// <exception cref="UnkeptValueException">A value in it cannot be kept.</exception>
    public void Write(object? value)
    {
        try
        {
            Write(value, insideLive: false);
        }
        catch (Exception e) when (!_writer.HasFailed && ObjectPath.IsOfObject(e))
        {
            throw _path.Unreadable(e);
        }
    }

    private void Write(object? value, bool insideLive)
    {
        // What most values are, without a detour.
        switch (value)
        {
            case int number:
                _json.WriteNumberValue(number);
                return;
            case string text:
                WriteText(text);
                return;
        }
        var shape = StateShape.Of(value);
        switch (shape.Kind)
        {
            case ShapeKind.Scalar when shape.Value is string text:
                WriteText(text);
                break;
            case ShapeKind.Scalar:
                if (!ScalarJson.TryWrite(_json, shape.Value))
                    throw HalfSurrogate();
                break;
            case ShapeKind.Secret when _writer.KeepsSecrets:
                SecureText.Write(_json, shape.Value!);
                break;
            case ShapeKind.Secret:
                throw CheckpointErrors.SecretWithoutKey(_path.ToString(), shape.Value!.GetType().Name);
            case ShapeKind.Xml:
                WriteXml((XmlDocument)shape.Value!);
                break;
            case ShapeKind.List:
                WriteList(shape.Value!, shape.TypeName, insideLive);
                break;
            case ShapeKind.Map:
                WriteMap((IDictionary)shape.Value!, shape.TypeName, insideLive);
                break;
            case ShapeKind.Object:
                WriteObject(shape.Wrapper!, insideLive);
                break;
            default:
                WriteLive(shape, insideLive);
                break;
        }
    }

    private void WriteText(string text)
    {
        if (_isKey || (long)text.Length * sizeof(char) < StateWriter.BlobThreshold || !BitConverter.IsLittleEndian)
        {
            ScalarJson.WriteString(_json, text);
            return;
        }
        _json.WriteStartObject();
        _json.WritePropertyName("$string"u8);
        WriteBlob([new TextMemory(text).Memory], isConstant: true);
        _json.WriteEndObject();
    }

    private void WriteXml(XmlDocument document)
    {
        if (document.DocumentType is not null)
            throw CheckpointErrors.NotSerializable(_path.ToString(), "the XML document has a document type (DOCTYPE); save its OuterXml instead");
        var text = StateXml.ToText(document) ?? throw CheckpointErrors.NotSerializable(_path.ToString(), "no XML document can be made of its text again; save its OuterXml instead");
        _json.WriteStartObject();
        _json.WritePropertyName(StateTags.Xml);
        // Never a blob: it is parsed as soon as it is read.
        ScalarJson.WriteString(_json, text);
        _json.WriteEndObject();
    }

    private void WriteList(object list, string typeName, bool insideLive)
    {
        _path.Enter(list);
        var type = list.GetType();
        if (list is Array { Rank: > 1 } shifted && Enumerable.Range(0, shifted.Rank).Any(d => shifted.GetLowerBound(d) != 0))
            throw CheckpointErrors.NotSerializable(_path.ToString(), "the array does not begin at 0");
        if (type == typeof(object[]))
        {
            WriteItems((object[])list, null, insideLive);
            _path.Leave();
            return;
        }
        _json.WriteStartObject();
        _json.WritePropertyName(ScalarJson.TagMark + typeName);
        var element = type.IsArray ? type.GetElementType() : type.IsGenericType ? type.GetGenericArguments()[0] : null;
        var scalar = element is null ? null : ScalarType.For(element);
        if (type == typeof(byte[]) && list is byte[] bytes && (_isKey || bytes.Length < StateWriter.BlobThreshold))
            _json.WriteBase64StringValue(bytes);
        else if (!_isKey && scalar is { BlobElementSize: > 0 } && list is Array { Rank: 1 } array && (long)array.Length * scalar.BlobElementSize >= StateWriter.BlobThreshold)
            WriteBlob(scalar.AsBytes(array));
        else if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(HashSet<>))
            WriteSet((IEnumerable)list, scalar, element, insideLive);
        else
            WriteItems((IEnumerable)list, scalar, insideLive, element);
        if (list is Array { Rank: > 1 } matrix)
        {
            _json.WriteStartArray(StateTags.Lengths);
            for (var i = 0; i < matrix.Rank; i++)
                _json.WriteNumberValue(matrix.GetLength(i));
            _json.WriteEndArray();
        }
        _path.Leave();
        if (!type.IsArray)
            WriteComparer(() => Comparers.NameOfGeneric(list));
        _json.WriteEndObject();
    }

    private void WriteSet(IEnumerable items, ScalarType? scalar, Type? element, bool insideLive)
    {
        RequireDistinct(items, Comparers.IgnoresCase(items), insideLive);
        WriteKeyed(() => WriteItems(items, scalar, insideLive, element));
    }

    private void WriteItems(IEnumerable items, ScalarType? scalar, bool insideLive, Type? element = null)
    {
        _json.WriteStartArray();
        var index = 0;
        _path.At(index);
        foreach (var item in items)
        {
            _cancellation.ThrowIfCancellationRequested();
            RequireFit(item, element);
            WriteElement(item, scalar, insideLive);
            _path.At(++index);
        }
        _json.WriteEndArray();
    }

    // In a list of one type its name need not stand with every item.
    private void WriteElement(object? item, ScalarType? scalar, bool insideLive)
    {
        if (item is null || scalar is null || item is string or int or bool || (item is double number && double.IsFinite(number)))
        {
            Write(item, insideLive);
            return;
        }
        var text = scalar.ToText(item);
        RequireUtf16(text);
        _json.WriteStringValue(text);
    }

    private void WriteMap(IDictionary map, string typeName, bool insideLive)
    {
        _path.Enter(map);
        _json.WriteStartObject();
        _json.WritePropertyName(ScalarJson.TagMark + typeName);
        var type = map.GetType();
        var valueType = type.IsGenericType ? ScalarType.For(type.GetGenericArguments()[1]) : null;
        var (keyElement, valueElement) = type.IsGenericType ? (type.GetGenericArguments()[0], type.GetGenericArguments()[1]) : (null, (Type?)null);
        var isPlain = HasPlainKeys(map);
        if (!isPlain || Comparers.IsCultural(map))
            RequireDistinct(map.Keys, Comparers.IgnoresCase(map), insideLive);
        if (isPlain)
        {
            _json.WriteStartObject();
            foreach (DictionaryEntry entry in map)
            {
                _cancellation.ThrowIfCancellationRequested();
                _json.WritePropertyName((string)entry.Key);
                _path.AtKey(entry.Key);
                RequireFit(entry.Value, valueElement);
                if (entry.Value is int number)
                    _json.WriteNumberValue(number);
                else
                    WriteElement(entry.Value, valueType, insideLive);
            }
            _json.WriteEndObject();
        }
        else
        {
            _json.WriteStartArray();
            foreach (DictionaryEntry entry in map)
            {
                _cancellation.ThrowIfCancellationRequested();
                _path.AtKey(entry.Key);
                RequireFit(entry.Key, keyElement);
                RequireFit(entry.Value, valueElement);
                _json.WriteStartArray();
                WriteKeyed(() => Write(entry.Key, insideLive));
                WriteElement(entry.Value, valueType, insideLive);
                _json.WriteEndArray();
            }
            _json.WriteEndArray();
        }
        _path.Leave();
        WriteComparer(() => type.IsGenericType ? Comparers.NameOfGeneric(map) : Comparers.NameOf(map));
        _json.WriteEndObject();
    }

    // A live object comes back as a property bag, which a collection of one type does not take.
    private void RequireFit(object? item, Type? element)
    {
        if (item is null || element is null || element == typeof(object) || element == typeof(PSObject) || item.GetType() == element || StateShape.Of(item).Kind is not ShapeKind.Live)
            return;
        throw CheckpointErrors.NotSerializable(_path.ToString(), $"a {item.GetType()} cannot be kept exactly, and the collection around it holds {element} alone");
    }

    // Keys that come back as something else, as enumerations do as their numbers and script blocks as their text, must not meet others.
    private void RequireDistinct(IEnumerable keys, bool ignoreCase, bool insideLive)
    {
        var texts = new HashSet<string>(ignoreCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        var others = new HashSet<object>();
        foreach (var key in keys)
        {
            var shape = StateShape.Of(key);
            var restored = shape.Value;
            if (shape.Kind == ShapeKind.Live && LiveObject.Describe(shape) is var live)
                restored = live.IsTextIn(insideLive) && live.Items is null ? live.Text : live.BaseValue ?? restored;
            if (restored is string text ? !texts.Add(text) : restored is not null && !others.Add(restored))
                throw CheckpointErrors.NotSerializable(_path.ToString(), $"the key {_path.Quote(key)} would be the same as another when it comes back");
        }
    }

    // What is hashed when it is read cannot be a blob, whose content comes last.
    private void WriteKeyed(Action write)
    {
        var outer = _isKey;
        _isKey = true;
        write();
        _isKey = outer;
    }

    private static bool HasPlainKeys(IDictionary map)
    {
        foreach (var key in map.Keys)
        {
            if (key is not string text || !ScalarJson.IsUtf16(text))
                return false;
        }
        return true;
    }

    private void WriteComparer(Func<string?> nameOf)
    {
        string? name;
        try
        {
            name = nameOf();
        }
        catch (NotSupportedException e)
        {
            throw CheckpointErrors.NotSerializable(_path.ToString(), e.Message);
        }
        if (name is not null)
            _json.WriteString(StateTags.Comparer, name);
    }

    private void WriteObject(PSObject bag, bool insideLive)
    {
        // The same object may be wrapped anew each time it is met.
        _path.Enter(bag.ImmediateBaseObject is PSObject inner ? inner : bag);
        var types = bag.TypeNames.Where(t => t is not "System.Management.Automation.PSCustomObject" and not "System.Object").ToList();
        // What type data of this session adds is no part of the object.
        var properties = bag.Properties.Where(p => p.IsGettable && p.IsInstance).ToList();
        var isPlain = types.Count == 0 && !properties.Any(p => p.Name.StartsWith(ScalarJson.TagMark));
        if (!isPlain)
        {
            _json.WriteStartObject();
            _json.WritePropertyName(StateTags.Object);
        }
        _json.WriteStartObject();
        foreach (var property in properties)
        {
            _path.At(property.Name);
            RequireUtf16(property.Name);
            _json.WritePropertyName(property.Name);
            Write(property.Value, insideLive);
        }
        _json.WriteEndObject();
        if (!isPlain)
        {
            if (types.Count > 0)
                WriteTexts(StateTags.Types, types);
            _json.WriteEndObject();
        }
        _path.Leave();
    }

    private void WriteLive(in StateShape shape, bool insideLive)
    {
        var live = LiveObject.Describe(shape);
        if (live.IsTextIn(insideLive))
        {
            if (live is { Items: ICollection items })
                WriteInnerItems(items);
            else
                WriteText(live.Text);
            return;
        }
        // What a wrapper holds is written by the rules of its own kind, and entered there.
        _path.Enter(ReferenceEquals(live.BaseValue, shape.Value) ? new object() : shape.Value!);
        _json.WriteStartObject();
        _json.WriteStartObject(StateTags.Deserialized);
        foreach (var (name, value) in live.Properties)
        {
            _path.At(name);
            RequireUtf16(name);
            _json.WritePropertyName(name);
            Write(value, insideLive: true);
        }
        _json.WriteEndObject();
        WriteTexts(StateTags.Types, live.Types);
        _json.WritePropertyName(StateTags.Text);
        WriteText(live.Text);
        if (live.BaseValue is not null)
        {
            _json.WritePropertyName(StateTags.Value);
            Write(live.BaseValue, insideLive);
        }
        else if (live.Items is { } items)
        {
            _json.WriteStartObject(StateTags.Value);
            _json.WritePropertyName("$arraylist"u8);
            // The items are a level of their own; the collection itself was entered above.
            _path.Enter(new object());
            WriteItems(items, null, insideLive);
            _path.Leave();
            _json.WriteEndObject();
        }
        _json.WriteEndObject();
        _path.Leave();
    }

    private void WriteInnerItems(ICollection items)
    {
        _path.Enter(items);
        WriteItems(items, null, insideLive: true);
        _path.Leave();
    }

    private void WriteTexts(string member, IEnumerable<string> texts)
    {
        _json.WriteStartArray(member);
        foreach (var text in texts)
            ScalarJson.WriteString(_json, text);
        _json.WriteEndArray();
    }

    private void WriteBlob(IEnumerable<Memory<byte>> pieces, bool isConstant = false)
    {
        long? offset = null;
        var length = 0L;
        foreach (var piece in pieces)
        {
            var at = _writer.AddBlob(piece, isConstant);
            offset ??= at;
            length += piece.Length;
        }
        _json.WriteStartObject();
        _json.WriteStartArray(StateTags.Blob);
        _json.WriteNumberValue(offset ?? 0);
        _json.WriteNumberValue(length);
        _json.WriteEndArray();
        _json.WriteEndObject();
    }

    private void RequireUtf16(string text)
    {
        if (!ScalarJson.IsUtf16(text))
            throw HalfSurrogate();
    }

    private UnkeptValueException HalfSurrogate() => CheckpointErrors.NotSerializable(_path.ToString(), "it holds half of a surrogate pair");
}
