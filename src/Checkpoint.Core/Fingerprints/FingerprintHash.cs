using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>
/// The arithmetic of fingerprints: every value is hashed with its kind and its length before it, so that no two different structures give the same
/// bytes: ("ab", "c") is not ("a", "bc"), and 1 is not "1".
/// </summary>
internal static class FingerprintHash
{
    /// <summary>The most parts that a fingerprint names; a record should stay small.</summary>
    public const int MaxParts = 1000;

    /// <summary>The hash of a scalar in its canonical text.</summary>
    /// <param name="kind">The kind of value, such as <c>string</c>.</param>
    /// <param name="text">Its text, the same for equal values on every system.</param>
    public static byte[] Scalar(string kind, string text)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, kind);
        Append(hash, text);
        return hash.GetHashAndReset();
    }

    /// <summary>The hash of null or a value of one of the scalar types. How wide an integer or a floating number is does not count.</summary>
    public static byte[] Value(object? value)
    {
        var culture = CultureInfo.InvariantCulture;
        return value switch
        {
            null => Scalar("null", ""),
            string text => Scalar("string", text),
            char c => Scalar("string", c.ToString()),
            bool flag => Scalar("bool", flag ? "true" : "false"),
            decimal number => Scalar("decimal", (number / 1.0000000000000000000000000000m).ToString(culture)),
            double number => Scalar("float", number.ToString("R", culture)),
            float number => Scalar("float", ((double)number).ToString("R", culture)),
            Half number => Scalar("float", ((double)number).ToString("R", culture)),
            DateTime { Kind: not DateTimeKind.Unspecified } time => Scalar("time", time.ToUniversalTime().ToString("O", culture)),
            DateTimeOffset time => Scalar("time", time.UtcDateTime.ToString("O", culture)),
            byte or sbyte or short or ushort or int or uint or long or ulong or Int128 or UInt128 or nint or nuint or System.Numerics.BigInteger
                => Scalar("integer", ((IFormattable)value).ToString(null, culture)),
            _ when ScalarType.For(value.GetType()) is { } type => Scalar(type.Name, type.ToText(value)),
            _ => throw new System.Diagnostics.UnreachableException($"A {value.GetType()} is no scalar."),
        };
    }

    /// <summary>The hash of bytes.</summary>
    public static byte[] Bytes(ReadOnlySpan<byte> bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "bytes");
        AppendLength(hash, bytes.Length);
        hash.AppendData(bytes);
        return hash.GetHashAndReset();
    }

    /// <summary>The hash of values in order.</summary>
    public static byte[] List(IReadOnlyCollection<byte[]> items)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "list");
        AppendLength(hash, items.Count);
        foreach (var item in items)
            hash.AppendData(item);
        return hash.GetHashAndReset();
    }

    /// <summary>The hash of a value that stands for itself, not under a name, so that 1 is not <c>@{ value = 1 }</c>.</summary>
    public static byte[] Whole(byte[] value)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "whole");
        hash.AppendData(value);
        return hash.GetHashAndReset();
    }

    /// <summary>The hash of named values; their order does not count.</summary>
    public static byte[] Map(IEnumerable<KeyValuePair<string, byte[]>> entries)
    {
        var sorted = entries.OrderBy(e => e.Key, StringComparer.Ordinal).ThenBy(e => Convert.ToHexString(e.Value), StringComparer.Ordinal).ToList();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "map");
        AppendLength(hash, sorted.Count);
        foreach (var (name, value) in sorted)
        {
            Append(hash, name);
            hash.AppendData(value);
        }
        return hash.GetHashAndReset();
    }

    /// <summary>The hash of a file's content, read as a stream.</summary>
    /// <returns>SHA-256 of the content alone, so that it can be compared with what other tools print.</returns>
    /// <param name="path">The file.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <param name="progress">Told how many bytes more were read, on the caller's thread; or null.</param>
    /// <exception cref="UnreadableFileException">It cannot be read, or is a pipe or a device.</exception>
    public static byte[] File(string path, CancellationToken cancellation, Action<int>? progress = null) => UnreadableFileException.Guard(path, () => Read(path, progress, cancellation));

    /// <summary>The hash of all files in a folder and below it, by their names from there on.</summary>
    /// <inheritdoc cref="File(string, CancellationToken, Action{int}?)"/>
    public static byte[] Folder(string path, CancellationToken cancellation, Action<int>? progress = null) => Map(FileTree.Files(path, cancellation)
        .Select(file => KeyValuePair.Create(Path.GetRelativePath(path, file).Replace(Path.DirectorySeparatorChar, '/'), File(file, cancellation, progress))));

    private static byte[] Read(string path, Action<int>? progress, CancellationToken cancellation)
    {
        if (!FileKind.MayBeRegular(path))
            throw new IOException($"'{path}' is no file but a folder, a pipe or a device.");
        using var file = FileSystem.Current.OpenAny(path) ?? throw new FileNotFoundException($"Could not find file '{path}'.", path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(1 << 17);
        try
        {
            var offset = 0L;
            for (int read; (read = FileSystem.Current.Read(file, buffer, offset)) > 0; offset += read)
            {
                cancellation.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
                progress?.Invoke(read);
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
        return hash.GetHashAndReset();
    }

    /// <summary>The fingerprint made of the hashes of its parts. Beyond <see cref="MaxParts"/> it names them in groups, by how their names begin.</summary>
    public static CheckpointFingerprint Combine(IReadOnlyDictionary<string, byte[]> parts)
    {
        var prefix = PrefixLength(parts.Keys);
        var groups = parts.GroupBy(p => GroupOf(p.Key, prefix), StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal);
        return new(Hex(Map(parts)), groups.ToDictionary(g => g.Key, g => Hex(parts.GetValueOrDefault(g.Key) is { } own && g.Count() == 1 ? own : Map(g)), StringComparer.Ordinal));
    }

    // The longest beginning of names of which there are no more than fit.
    private static int PrefixLength(IEnumerable<string> names)
    {
        var sorted = names.Order(StringComparer.Ordinal).ToList();
        return sorted.Count <= MaxParts ? int.MaxValue : sorted.Zip(sorted.Skip(1), static (a, b) => a.AsSpan().CommonPrefixLength(b)).Order().ElementAt(MaxParts - 1);
    }

    // A record is UTF-8, which has no halves of surrogate pairs.
    private static string GroupOf(string name, int prefix)
    {
        var shown = name.Length < prefix ? name : name[..(prefix > 0 && char.IsHighSurrogate(name[prefix - 1]) ? prefix - 1 : prefix)] + "…";
        return ScalarJson.IsUtf16(shown) ? shown : string.Concat(shown.Select(c => char.IsSurrogate(c) ? $"\\u{(int)c:x4}" : c.ToString()));
    }

    public static string Hex(ReadOnlySpan<byte> hash) => Convert.ToHexString(hash).ToLowerInvariant();

    private static void Append(IncrementalHash hash, string text)
    {
        // UTF-16, so that half a surrogate pair counts too.
        AppendLength(hash, text.Length);
        Span<byte> bytes = text.Length <= 256 ? stackalloc byte[text.Length * 2] : new byte[text.Length * 2];
        for (var i = 0; i < text.Length; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[(i * 2)..], text[i]);
        hash.AppendData(bytes);
    }

    private static void AppendLength(IncrementalHash hash, long length)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        hash.AppendData(bytes);
    }
}
