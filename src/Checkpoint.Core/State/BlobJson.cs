using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Checkpoint;

/// <summary>Writes blobs as the JSON that would stand in their place.</summary>
internal static class BlobJson
{
    /// <summary>Writes a blob whose items are of a type.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="type">The type of the items.</param>
    /// <param name="pieces">The blob.</param>
    /// <param name="isTyped">Whether the items are written as the dialect has them, or as plain JSON.</param>
    public static void Write(Stream output, ScalarType type, IEnumerable<ReadOnlyMemory<byte>> pieces, bool isTyped)
    {
        if (type.Name == "byte")
        {
            WriteBase64(output, pieces);
            return;
        }
        output.WriteByte((byte)'[');
        var isFirst = true;
        foreach (var item in Items(type, pieces))
        {
            if (!isFirst)
                output.WriteByte((byte)',');
            isFirst = false;
            WriteItem(output, type, item, isTyped);
        }
        output.WriteByte((byte)']');
    }

    /// <summary>Writes each item of such a blob as plain JSON on a line of its own.</summary>
    public static void WriteLines(Stream output, ScalarType type, IEnumerable<ReadOnlyMemory<byte>> pieces, string newLine)
    {
        foreach (var item in Items(type, pieces))
        {
            WriteItem(output, type, item, isTyped: false);
            Write(output, newLine);
        }
    }

    /// <summary>The text that a blob is.</summary>
    public static string Text(IEnumerable<ReadOnlyMemory<byte>> pieces)
    {
        var text = new StringBuilder();
        foreach (var piece in pieces)
            text.Append(JsonText.FromUtf16(piece.Span));
        return text.ToString();
    }

    private static IEnumerable<object> Items(ScalarType type, IEnumerable<ReadOnlyMemory<byte>> pieces)
    {
        foreach (var piece in pieces)
        {
            var items = type.NewArray(piece.Length / type.BlobElementSize);
            foreach (var memory in type.AsBytes(items))
                piece.CopyTo(memory);
            foreach (var item in items)
                yield return item!;
        }
    }

    private static void WriteItem(Stream output, ScalarType type, object item, bool isTyped)
    {
        if (isTyped)
        {
            var text = item is double number && double.IsFinite(number) ? Double(number) : type.ToText(item);
            Write(output, item is int or bool || (item is double finite && double.IsFinite(finite)) ? text : $"\"{text}\"");
        }
        else
        {
            PlainJson.WriteScalar(output, type.Name, type.ToText(item));
        }
    }

    // A double always has a point or an exponent.
    private static string Double(double number) => number.ToString("R", CultureInfo.InvariantCulture) is var text && text.AsSpan().IndexOfAny('.', 'E') < 0 ? text + ".0" : text;

    private static void WriteBase64(Stream output, IEnumerable<ReadOnlyMemory<byte>> pieces)
    {
        output.WriteByte((byte)'"');
        byte[] buffer = [];
        foreach (var piece in pieces)
        {
            var size = Base64.GetMaxEncodedToUtf8Length(piece.Length);
            if (buffer.Length < size)
                buffer = new byte[size];
            Base64.EncodeToUtf8(piece.Span, buffer, out _, out var written);
            output.Write(buffer, 0, written);
        }
        output.WriteByte((byte)'"');
    }

    private static void Write(Stream output, string ascii) => output.Write(Encoding.ASCII.GetBytes(ascii));
}
