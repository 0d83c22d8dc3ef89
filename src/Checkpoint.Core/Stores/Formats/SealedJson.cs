using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Checkpoint;

/// <summary>An indented JSON object that ends in the checksum of everything before it, so that a file which is cut or changed is found out before it is believed.</summary>
internal static class SealedJson
{
    private const int ChecksumDigits = 2 * SHA256.HashSizeInBytes;

    // The checksum's member, always of the same length, so that it can be found from the end.
    private static ReadOnlySpan<byte> ChecksumStart => ",\n  \"checksum\": \""u8;

    private static ReadOnlySpan<byte> ChecksumEnd => "\"\n}\n"u8;

    /// <summary>Closes the object behind the checksum of what was written so far: an object with a member or more, that is not ended yet.</summary>
    public static void Seal(ArrayBufferWriter<byte> buffer)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(buffer.WrittenSpan, hash);
        buffer.Write(ChecksumStart);
        var digits = buffer.GetSpan(ChecksumDigits);
        for (var i = 0; i < hash.Length; i++)
            Utf8Formatter.TryFormat(hash[i], digits[(2 * i)..], out _, new StandardFormat('x', 2));
        buffer.Advance(ChecksumDigits);
        buffer.Write(ChecksumEnd);
    }

    /// <summary>Checks that the bytes are whole.</summary>
    /// <returns>The length of what the checksum is of: members behind that are none.</returns>
    /// <exception cref="InvalidDataException">They are not; the message says why.</exception>
    public static int Verify(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0)
            throw new InvalidDataException("the record is empty");
        var body = bytes.Length - ChecksumStart.Length - ChecksumDigits - ChecksumEnd.Length;
        var tail = body <= 0 ? default : bytes[body..];
        if (body <= 0 || !tail.StartsWith(ChecksumStart) || !tail.EndsWith(ChecksumEnd))
            throw new InvalidDataException("the record is cut off or was changed");
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..body], hash);
        var digits = tail.Slice(ChecksumStart.Length, ChecksumDigits);
        for (var i = 0; i < hash.Length; i++)
        {
            if (digits[2 * i] != HexDigit(hash[i] >> 4) || digits[(2 * i) + 1] != HexDigit(hash[i] & 15))
                throw new InvalidDataException("the record's checksum does not fit its content");
        }
        return body;
    }

    /// <summary>The checksum that stands in the bytes, right or not, as text; what is too short has none.</summary>
    public static string ChecksumOf(ReadOnlySpan<byte> bytes)
    {
        var start = bytes.Length - ChecksumEnd.Length - ChecksumDigits;
        return start < 0 ? "" : Encoding.ASCII.GetString(bytes.Slice(start, ChecksumDigits));
    }

    private static int HexDigit(int value) => value < 10 ? '0' + value : 'a' + value - 10;
}
