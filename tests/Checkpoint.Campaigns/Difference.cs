using System.Collections;
using System.Collections.Specialized;
using System.Management.Automation;
using System.Runtime.InteropServices;
using System.Security;

namespace Checkpoint.Campaigns;

/// <summary>Compares two states by what they are, and by nothing of the code under test.</summary>
internal static class Difference
{
    /// <summary>Where and how they differ; or null.</summary>
    public static string? Find(object? expected, object? found, string path = "$state")
    {
        (expected, found) = (Bare(expected), Bare(found));
        if (expected is null || found is null)
            return expected is null && found is null ? null : $"{path}: {expected ?? "null"} became {found ?? "null"}";
        if (expected.GetType() != found.GetType())
            return $"{path}: a {expected.GetType()} became a {found.GetType()}";
        return expected switch
        {
            PSObject bag => Bags(bag, (PSObject)found, path),
            IDictionary table => Tables(table, (IDictionary)found, path),
            HashSet<string> set => set.SetEquals((HashSet<string>)found) && set.Count == ((HashSet<string>)found).Count && set.All(i => set.Contains(Swap(i)) == ((HashSet<string>)found).Contains(Swap(i))) ? null : $"{path}: another set",
            Array array when Lengths(array) != Lengths((Array)found) => $"{path}: [{Lengths(array)}] became [{Lengths((Array)found)}]",
            string text => string.Equals(text, (string)found, StringComparison.Ordinal) ? null : $"{path}: another text of {text.Length}",
            IEnumerable items => Items(items.Cast<object?>().ToList(), ((IEnumerable)found).Cast<object?>().ToList(), path),
            _ => Same(expected, found) ? null : $"{path}: the {expected.GetType()} {expected} became {found}",
        };
    }

    private static bool Same(object expected, object found) => expected switch
    {
        double number => BitConverter.DoubleToInt64Bits(number) == BitConverter.DoubleToInt64Bits((double)found),
        float number => BitConverter.SingleToInt32Bits(number) == BitConverter.SingleToInt32Bits((float)found),
        Half number => BitConverter.HalfToInt16Bits(number) == BitConverter.HalfToInt16Bits((Half)found),
        decimal number => decimal.GetBits(number).SequenceEqual(decimal.GetBits((decimal)found)),
        DateTime time => time.Ticks == ((DateTime)found).Ticks && time.Kind == ((DateTime)found).Kind,
        DateTimeOffset time => time.EqualsExact((DateTimeOffset)found),
        SecureString secret => Text(secret) == Text((SecureString)found),
        PSCredential credential => credential.UserName == ((PSCredential)found).UserName && (credential.Password is null ? ((PSCredential)found).Password is null : Text(credential.Password) == Text(((PSCredential)found).Password)),
        Uri uri => uri.OriginalString == ((Uri)found).OriginalString && uri.IsAbsoluteUri == ((Uri)found).IsAbsoluteUri,
        _ => expected.Equals(found),
    };

    private static string Text(SecureString secret)
    {
        var memory = Marshal.SecureStringToGlobalAllocUnicode(secret);
        try
        {
            return Marshal.PtrToStringUni(memory, secret.Length);
        }
        finally
        {
            Marshal.ZeroFreeGlobalAllocUnicode(memory);
        }
    }

    private static string? Bags(PSObject expected, PSObject found, string path)
    {
        var names = expected.Properties.Select(p => p.Name).ToList();
        if (!names.SequenceEqual(found.Properties.Select(p => p.Name), StringComparer.Ordinal) || !expected.TypeNames.SequenceEqual(found.TypeNames, StringComparer.Ordinal))
            return $"{path}: other properties or type names";
        return names.Select(name => Find(expected.Properties[name].Value, found.Properties[name].Value, $"{path}.{name}")).FirstOrDefault(d => d is not null);
    }

    private static string? Tables(IDictionary expected, IDictionary found, string path)
    {
        var keys = expected.Keys.Cast<object>().ToList();
        if (keys.Count != found.Count || !keys.All(found.Contains))
            return $"{path}: other keys";
        if (keys.OfType<string>().Any(key => expected.Contains(Swap(key)) != found.Contains(Swap(key))))
            return $"{path}: another comparer";
        if (expected is OrderedDictionary && Items([.. keys], found.Keys.Cast<object?>().ToList(), path) is { } order)
            return order;
        return keys.Select(key => Find(expected[key], found[key], $"{path}[{key}]")).FirstOrDefault(d => d is not null);
    }

    private static string? Items(List<object?> expected, List<object?> found, string path) => expected.Count != found.Count ? $"{path}: {expected.Count} items became {found.Count}"
        : expected.Select((item, i) => Find(item, found[i], $"{path}[{i}]")).FirstOrDefault(d => d is not null);

    // The same letters in the other case.
    private static string Swap(string text) => string.Concat(text.Select(c => char.IsAsciiLetterUpper(c) ? char.ToLowerInvariant(c) : char.IsAsciiLetterLower(c) ? char.ToUpperInvariant(c) : c));

    private static string Lengths(Array array) => string.Join(',', Enumerable.Range(0, array.Rank).Select(array.GetLength));

    // PowerShell wraps what it hands on; a wrapper is nothing of the value, but that of a custom object is the object.
    private static object? Bare(object? value) => value is PSObject { BaseObject: not PSCustomObject } wrapper ? wrapper.BaseObject : value;
}
