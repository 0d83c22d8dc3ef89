using System.Buffers;
using System.Text;

namespace Checkpoint;

/// <summary>
/// Any bytes as text and back. What is UTF-8 is what it says; any other byte is half of a surrogate pair, U+DC80 to U+DCFF, as Python's <c>surrogateescape</c> (PEP 383) has it.
/// </summary>
internal static class ByteText
{
    private const int Base = 0xDC00;

    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        while (bytes.Length > 0)
        {
            // Most of it is UTF-8, in one go.
            var end = System.Text.Unicode.Utf8.IsValid(bytes) ? bytes.Length : ValidLength(bytes);
            text.Append(Encoding.UTF8.GetString(bytes[..end]));
            bytes = bytes[end..];
            if (bytes.Length == 0)
                break;
            text.Append((char)(Base + bytes[0]));
            bytes = bytes[1..];
        }
        return text.ToString();
    }

    /// <summary>Writes the bytes of a text. Half of a surrogate pair that stands for no byte becomes U+FFFD.</summary>
    public static void Write(Stream output, ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[1024];
        while (text.Length > 0)
        {
            var filled = 0;
            while (text.Length > 0 && filled + 4 <= bytes.Length)
            {
                var status = Rune.DecodeFromUtf16(text, out var rune, out var length);
                if (status != OperationStatus.Done && text[0] is >= '\uDC80' and <= '\uDCFF')
                    bytes[filled++] = (byte)(text[0] - Base);
                else
                    filled += rune.EncodeToUtf8(bytes[filled..]);
                text = text[length..];
            }
            output.Write(bytes[..filled]);
        }
    }

    private static int ValidLength(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (at < bytes.Length && Rune.DecodeFromUtf8(bytes[at..], out _, out var length) == OperationStatus.Done)
            at += length;
        return at;
    }
}
