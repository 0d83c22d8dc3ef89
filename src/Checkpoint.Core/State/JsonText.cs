using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Checkpoint;

/// <summary>Texts of JSON with any UTF-16 in them, which System.Text.Json neither reads nor writes where half of a surrogate pair stands in it.</summary>
internal static class JsonText
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>The text that stands between the quotes of a valid string.</summary>
    /// <exception cref="System.Text.Json.JsonException">It is not UTF-8.</exception>
    public static string Unescape(ReadOnlySpan<byte> json)
    {
        var text = new StringBuilder(json.Length);
        try
        {
            while (json.Length > 0)
            {
                var end = json.IndexOf((byte)'\\');
                text.Append(Strict.GetString(end < 0 ? json : json[..end]));
                if (end < 0)
                    break;
                var kind = (char)json[end + 1];
                text.Append(kind switch
                {
                    'b' => '\b',
                    'f' => '\f',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => (char)ushort.Parse(Encoding.ASCII.GetString(json.Slice(end + 2, 4)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                    _ => kind,
                });
                json = json[(end + (kind == 'u' ? 6 : 2))..];
            }
        }
        catch (DecoderFallbackException e)
        {
            throw new System.Text.Json.JsonException("A string is not UTF-8.", e);
        }
        return text.ToString();
    }

    /// <summary>Writes a text as a JSON string.</summary>
    public static void Write(Stream output, ReadOnlySpan<char> text)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(4096);
        var filled = 0;
        bytes[filled++] = (byte)'"';
        while (text.Length > 0)
        {
            if (filled > bytes.Length - 16)
            {
                output.Write(bytes, 0, filled);
                filled = 0;
            }
            var c = text[0];
            var status = Rune.DecodeFromUtf16(text, out var rune, out var length);
            text = text[length..];
            if (status != OperationStatus.Done || c < ' ')
                filled += Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\\{Short(c)}"), bytes.AsSpan(filled));
            else if (c is '"' or '\\')
                (bytes[filled], bytes[filled + 1], filled) = ((byte)'\\', (byte)c, filled + 2);
            else
                filled += rune.EncodeToUtf8(bytes.AsSpan(filled));
        }
        bytes[filled++] = (byte)'"';
        output.Write(bytes, 0, filled);
        ArrayPool<byte>.Shared.Return(bytes, clearArray: true);
    }

    /// <summary>The text whose UTF-16, little-endian, these bytes are.</summary>
    public static string FromUtf16(ReadOnlySpan<byte> bytes)
    {
        var text = new char[bytes.Length / sizeof(char)];
        for (var i = 0; i < text.Length; i++)
            text[i] = (char)BinaryPrimitives.ReadUInt16LittleEndian(bytes[(i * sizeof(char))..]);
        return new string(text);
    }

    private static string Short(char c) => c switch
    {
        '\b' => "b",
        '\f' => "f",
        '\n' => "n",
        '\r' => "r",
        '\t' => "t",
        _ => string.Create(CultureInfo.InvariantCulture, $"u{(int)c:x4}"),
    };
}
