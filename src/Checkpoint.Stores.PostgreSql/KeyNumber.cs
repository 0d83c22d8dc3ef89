using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>The number of a key, by which sessions lock it and are told of changes. Two keys that have the same wait for each other now and then, or are told of each other, which harms nothing.</summary>
internal static class KeyNumber
{
    public static long Of(string schema, StoreKey key) => Of('\n', schema, key);

    /// <summary>Another one, for those who append one after the other.</summary>
    public static long OfOrder(string schema, StoreKey key) => Of('\t', schema, key);

    private static long Of(char use, string schema, StoreKey key)
    {
        // No text has control characters.
        var bytes = Encoding.UTF8.GetBytes(string.Join(use, schema, key.Kind, key.Pipeline, key.Run, key.Name));
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return BinaryPrimitives.ReadInt64LittleEndian(hash);
    }
}
