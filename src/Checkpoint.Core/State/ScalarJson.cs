using System.Collections;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Text.Json;

namespace Checkpoint;

/// <summary>
/// The scalar part of the JSON dialect of records. null, booleans, 32-bit integers, doubles and strings are plain JSON; every other scalar is an object
/// with its type's tag, <c>{"$int64":"5"}</c>. A double always has a point or an exponent. Metadata holds scalars and flat arrays of them.
/// </summary>
internal static class ScalarJson
{
    public const char TagMark = '$';

    /// <summary>Tag of a string with half a surrogate pair, which UTF-8 cannot hold: base64 of its UTF-16LE.</summary>
    public const string Utf16Tag = "$utf16";

    /// <summary>Writes a scalar, or null.</summary>
    /// <returns>False where the value is none of the known types, or a URI with half a surrogate pair; nothing is written then.</returns>
    public static bool TryWrite(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                return true;
            case string text:
                WriteString(json, text);
                return true;
            case int number:
                json.WriteNumberValue(number);
                return true;
            case bool flag:
                json.WriteBooleanValue(flag);
                return true;
            case double number when double.IsFinite(number):
                WriteDouble(json, number);
                return true;
        }
        if (ScalarType.For(value.GetType()) is not { } type)
            return false;
        var tagged = type.ToText(value);
        if (!IsUtf16(tagged))
            return false;
        json.WriteStartObject();
        json.WriteString(TagMark + type.Name, tagged);
        json.WriteEndObject();
        return true;
    }

    /// <summary>Reads the number under the reader.</summary>
    public static object ReadNumber(ref Utf8JsonReader json)
    {
        if (json.ValueSpan.IndexOfAny((byte)'.', (byte)'e', (byte)'E') >= 0)
            return json.GetDouble();
        return json.TryGetInt32(out var number) ? number : throw new JsonException("A whole number without a type is beyond 32 bits.");
    }

    /// <summary>The value of a tag such as <c>$int64</c> with its text, or null where the tag is no scalar's.</summary>
    public static object? FromTag(string tag, string text)
    {
        if (tag == Utf16Tag)
            return DecodeUtf16(text);
        return ScalarType.Named(tag[1..])?.Parse(text);
    }

    /// <summary>Writes a map of facts as one JSON object.</summary>
    /// <exception cref="UnkeptValueException">A value is neither a scalar nor a flat array or list of them.</exception>
    public static void WriteFacts(Utf8JsonWriter json, IReadOnlyDictionary<string, object?> facts, string what)
    {
        json.WriteStartObject();
        foreach (var (name, value) in facts)
        {
            if (!IsUtf16(name) || value is Uri uri && !IsUtf16(uri.OriginalString))
                throw CheckpointErrors.NotSerializable($"{what}.{name}", "it holds half of a surrogate pair");
            json.WritePropertyName(name);
            if (TryWrite(json, value))
                continue;
            if (value is not IList list || value is Array { Rank: > 1 })
                throw CheckpointErrors.NotSerializable($"{what}.{name}", $"a {value!.GetType()} is neither a number, text, date or the like nor a list of these; put it into the state");
            json.WriteStartArray();
            for (var i = 0; i < list.Count; i++)
            {
                if (!TryWrite(json, list[i]))
                    throw CheckpointErrors.NotSerializable(string.Create(CultureInfo.InvariantCulture, $"{what}.{name}[{i}]"), $"a {list[i]!.GetType()} is neither a number, text, date nor the like; put it into the state");
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    /// <summary>Reads what <see cref="WriteFacts"/> wrote; the reader stands on the object's start and ends on its end. Arrays come back as read-only lists.</summary>
    public static ReadOnlyDictionary<string, object?> ReadFacts(ref Utf8JsonReader json)
    {
        Expect(json.TokenType == JsonTokenType.StartObject);
        var facts = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString()!;
            Expect(json.Read());
            if (json.TokenType == JsonTokenType.StartArray)
            {
                var items = new List<object?>();
                while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                    items.Add(ReadScalar(ref json));
                facts[name] = items.AsReadOnly();
            }
            else
            {
                facts[name] = ReadScalar(ref json);
            }
        }
        Expect(json.TokenType == JsonTokenType.EndObject);
        return new ReadOnlyDictionary<string, object?>(facts);
    }

    public static void WriteString(Utf8JsonWriter json, string text)
    {
        if (IsUtf16(text))
        {
            json.WriteStringValue(text);
            return;
        }
        json.WriteStartObject();
        json.WriteBase64String(Utf16Tag, ToUtf16(text));
        json.WriteEndObject();
    }

    /// <summary>Whether every surrogate of the text has its other half.</summary>
    public static bool IsUtf16(ReadOnlySpan<char> text)
    {
        for (var i = text.IndexOfAnyInRange('\uD800', '\uDFFF'); i < text.Length; i++)
        {
            if (i < 0)
                return true;
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return false;
            i++;
        }
        return true;
    }

    private static object? ReadScalar(ref Utf8JsonReader json)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.True:
                return true;
            case JsonTokenType.False:
                return false;
            case JsonTokenType.String:
                return json.GetString();
            case JsonTokenType.Number:
                return ReadNumber(ref json);
            case JsonTokenType.StartObject:
                Expect(json.Read() && json.TokenType == JsonTokenType.PropertyName);
                var tag = json.GetString()!;
                Expect(tag.StartsWith(TagMark) && json.Read() && json.TokenType == JsonTokenType.String);
                var value = FromTag(tag, json.GetString()!);
                Expect(value is not null && json.Read() && json.TokenType == JsonTokenType.EndObject);
                return value;
            default:
                throw new JsonException("A scalar was expected.");
        }
    }

    private static void WriteDouble(Utf8JsonWriter json, double number)
    {
        Span<byte> text = stackalloc byte[40];
        number.TryFormat(text, out var length, "R", CultureInfo.InvariantCulture);
        if (text[..length].IndexOfAny((byte)'.', (byte)'E') < 0)
        {
            ".0"u8.CopyTo(text[length..]);
            length += 2;
        }
        json.WriteRawValue(text[..length], skipInputValidation: true);
    }

    private static byte[] ToUtf16(string text)
    {
        var bytes = new byte[text.Length * 2];
        for (var i = 0; i < text.Length; i++)
            System.Buffers.Binary.BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * 2), text[i]);
        return bytes;
    }

    private static string DecodeUtf16(string base64)
    {
        byte[] bytes;
        try
        {
            bytes = Convert.FromBase64String(base64);
        }
        catch (FormatException e)
        {
            throw new JsonException("The text is no base64.", e);
        }
        return string.Create(bytes.Length / 2, bytes, static (chars, source) =>
        {
            for (var i = 0; i < chars.Length; i++)
                chars[i] = (char)System.Buffers.Binary.BinaryPrimitives.ReadUInt16LittleEndian(source.AsSpan(i * 2));
        });
    }

    private static void Expect(bool condition)
    {
        if (!condition)
            throw new JsonException("The document does not have the expected form.");
    }
}
