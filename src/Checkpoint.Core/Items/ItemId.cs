using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>What an item is known by: half of the SHA-256 of its key's UTF-16, little-endian. Two keys that share it are not to be expected in this world.</summary>
internal readonly record struct ItemId(ulong High, ulong Low)
{
    /// <summary>As text it has so many hexadecimal digits.</summary>
    public const int Digits = 32;

    /// <summary>The id of a key. Each UTF-16 code unit counts, also half of a surrogate pair.</summary>
    public static ItemId Of(string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(BitConverter.IsLittleEndian ? MemoryMarshal.AsBytes(key.AsSpan()) : System.Text.Encoding.Unicode.GetBytes(key), hash);
        return new ItemId(BinaryPrimitives.ReadUInt64BigEndian(hash), BinaryPrimitives.ReadUInt64BigEndian(hash[8..]));
    }

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{High:x16}{Low:x16}");
}
