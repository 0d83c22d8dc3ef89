namespace Checkpoint.Tests;

/// <summary>The ways in which a file is damaged.</summary>
internal static class Corruption
{
    /// <summary>Every byte changed, every length cut, a span doubled and one zeroed from everywhere. In the long form every bit of every byte and many spans.</summary>
    public static IEnumerable<(string How, byte[] Bytes)> Of(byte[] bytes, Random random)
    {
        var spans = Campaign.IsLong ? 8 : 1;
        for (var i = 0; i < bytes.Length; i++)
        {
            for (var n = 0; n < (Campaign.IsLong ? 9 : 1); n++)
            {
                var flip = n == 8 || !Campaign.IsLong ? random.Next(1, 256) : 1 << n;
                yield return ($"byte {i} ^ {flip}", [.. bytes[..i], (byte)(bytes[i] ^ flip), .. bytes[(i + 1)..]]);
            }
            yield return ($"cut to {i}", bytes[..i]);
            for (var n = 0; n < spans; n++)
            {
                var length = random.Next(1, bytes.Length - i + 1);
                yield return ($"{length} doubled at {i}", [.. bytes[..(i + length)], .. bytes[i..]]);
                yield return ($"{length} zeroed at {i}", [.. bytes[..i], .. new byte[length], .. bytes[(i + length)..]]);
            }
        }
        for (var page = 0; page < bytes.Length; page += 512)
            yield return ($"page at {page} zeroed", [.. bytes[..page], .. new byte[Math.Min(512, bytes.Length - page)], .. bytes.Skip(page + 512)]);
    }
}
