using System.Text.Json;

namespace Checkpoint;

/// <summary>Writes a document as it is, with the blobs in the places that refer to them.</summary>
internal static class TypedJson
{
    public static void Write(ReadOnlySpan<byte> document, bool isSequence, BlobReader blobs, Stream output)
    {
        output.Write(isSequence ? "{\"sequence\":true,\"value\":"u8 : "{\"sequence\":false,\"value\":"u8);
        var reader = new Utf8JsonReader(document, RecordFormat.ReaderOptions);
        var copied = 0;
        // The first name of an object is a tag, unless the object is what a tag of a table or an object holds.
        var (isTagPlace, isPlain) = (false, false);
        var start = 0;
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                start = (int)reader.TokenStartIndex;
                (isTagPlace, isPlain) = (!isPlain, false);
                continue;
            }
            var isTag = isTagPlace && reader.TokenType == JsonTokenType.PropertyName && reader.ValueSpan.StartsWith("$"u8);
            (isTagPlace, isPlain) = (false, false);
            if (!isTag)
                continue;
            var tag = reader.GetString()!;
            if (tag is "$object" or "$deserialized" || StateTypeName.Parse(tag[1..]) is { IsMap: true })
            {
                isPlain = true;
                continue;
            }
            var at = reader;
            if (!at.Read() || at.TokenType != JsonTokenType.StartObject)
                continue;
            var place = (int)at.TokenStartIndex;
            var (offset, length) = BlobPlace(ref at);
            if (tag == "$string")
            {
                at.Read();
                output.Write(document[copied..start]);
                WriteText(output, BlobJson.Text(blobs.Read(offset, length)));
            }
            else
            {
                output.Write(document[copied..place]);
                BlobJson.Write(output, StateTypeName.Parse(tag[1..])!.Item!.Scalar!, blobs.Read(offset, length), isTyped: true);
            }
            copied = (int)at.BytesConsumed;
            reader = at;
        }
        output.Write(document[copied..]);
        output.Write("}\n"u8);
    }

    /// <summary>Reads <c>{"blob":[offset,length]}</c>; the reader stands on its beginning, and then on its end.</summary>
    public static (long Offset, long Length) BlobPlace(ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Read();
        reader.Read();
        var offset = reader.GetInt64();
        reader.Read();
        var length = reader.GetInt64();
        reader.Read();
        reader.Read();
        return (offset, length);
    }

    private static void WriteText(Stream output, string text)
    {
        if (ScalarJson.IsUtf16(text))
        {
            JsonText.Write(output, text);
            return;
        }
        using var json = new Utf8JsonWriter(output, RecordFormat.WriterOptions with { Indented = false });
        ScalarJson.WriteString(json, text);
    }
}
