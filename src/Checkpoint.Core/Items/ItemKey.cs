using System.Globalization;
using System.Numerics;

namespace Checkpoint;

/// <summary>Makes the key of an item's value: text, the same on every machine and in every culture.</summary>
internal static class ItemKey
{
    /// <summary>The key of a string, number, Guid, date or another value that one text stands for; null for anything else.</summary>
    /// <remarks>
    /// A number and the string that reads the same are one key, for ids come as numbers from one source and as text from another. So are numbers of different
    /// types with the same value, such as 1, [long] 1, 1.0 and 1.00d.
    /// </remarks>
    public static string? TextOf(object? value) => value switch
    {
        string text => text,
        char character => character.ToString(),
        Enum name => name.ToString(),
        bool truth => truth ? "true" : "false",
        int number => number.ToString(CultureInfo.InvariantCulture),
        double number => TextOf(number, number.ToString("R", CultureInfo.InvariantCulture)),
        float number => TextOf(number, number.ToString("R", CultureInfo.InvariantCulture)),
        Half number => TextOf((double)number, number.ToString("R", CultureInfo.InvariantCulture)),
        // Without the zeros at the end, which say nothing of the value.
        decimal number => (number / 1.0000000000000000000000000000m).ToString(CultureInfo.InvariantCulture),
        byte or sbyte or short or ushort or uint or long or ulong or nint or nuint or BigInteger or Int128 or UInt128 => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
        Guid id => id.ToString("D", CultureInfo.InvariantCulture),
        DateTime time => time.ToString("O", CultureInfo.InvariantCulture),
        DateTimeOffset time => time.ToString("O", CultureInfo.InvariantCulture),
        DateOnly date => date.ToString("O", CultureInfo.InvariantCulture),
        TimeOnly time => time.ToString("O", CultureInfo.InvariantCulture),
        TimeSpan span => span.ToString("c", CultureInfo.InvariantCulture),
        Version version => version.ToString(),
        Uri uri => uri.OriginalString,
        _ => null,
    };

    // All digits, as of the types without an exponent.
    private static string TextOf(double number, string shortest)
    {
        if (double.IsInteger(number))
            return new BigInteger(number).ToString(CultureInfo.InvariantCulture);
        var end = shortest.IndexOf('E', StringComparison.Ordinal);
        if (end < 0)
            return shortest;
        var exponent = int.Parse(shortest.AsSpan(end + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var digits = new string('0', Math.Max(0, -exponent)) + shortest[..end].Replace(".", "", StringComparison.Ordinal).TrimStart('-');
        return (number < 0 ? "-" : "") + digits.Insert(Math.Max(0, exponent) + 1, ".");
    }
}
