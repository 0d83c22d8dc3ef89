using System.Collections;
using System.Collections.Specialized;
using System.Runtime.CompilerServices;

namespace Checkpoint;

/// <summary>How dictionaries and sets of strings compare: what PowerShell's <c>@{}</c> does goes without saying, the rest by name.</summary>
internal static class Comparers
{
    private const string IgnoreCase = "ignoreCase";
    private const string Exact = "exact";

    /// <summary>The name of the comparer of a hashtable or ordered dictionary, or null where it is PowerShell's.</summary>
    /// <exception cref="NotSupportedException">The comparer is one that no name stands for.</exception>
    public static string? NameOf(IDictionary dictionary) => dictionary switch
    {
        Hashtable table => IsIgnoreCase(ComparerOf(table)) ? null : NameOf(ComparerOf(table)),
        OrderedDictionary ordered => IsIgnoreCase(ComparerOf(ordered)) ? null : NameOf(ComparerOf(ordered)),
        _ => null,
    };

    /// <summary>The name of the comparer of a generic dictionary or set, or null where it is the type's own.</summary>
    /// <exception cref="NotSupportedException">The comparer is one that no name stands for.</exception>
    public static string? NameOfGeneric(object collection)
    {
        if (collection.GetType().GetProperty("Comparer")?.GetValue(collection) is not { } comparer)
            return null;
        if (comparer is IEqualityComparer<string> && IsIgnoreCase(comparer))
            return IgnoreCase;
        var own = typeof(EqualityComparer<>).MakeGenericType(collection.GetType().GetGenericArguments()[0]).GetProperty(nameof(EqualityComparer<object>.Default))!.GetValue(null);
        return comparer.Equals(own) || IsExact(comparer) ? null : throw Unknown(comparer);
    }

    /// <summary>Whether keys that differ for this dictionary or set may be the same for the one that comes back, which compares ordinally.</summary>
    public static bool IsCultural(object collection)
    {
        var comparer = ComparerOf(collection);
        return comparer is not null && (comparer.Equals(StringComparer.CurrentCultureIgnoreCase) || comparer.Equals(StringComparer.InvariantCultureIgnoreCase));
    }

    /// <summary>Whether what comes back of this dictionary or set ignores case.</summary>
    public static bool IgnoresCase(object collection) => IsIgnoreCase(ComparerOf(collection));

    /// <summary>The comparer of a name; for null, PowerShell's.</summary>
    public static StringComparer? ForTable(string? name) => name switch
    {
        null or IgnoreCase => StringComparer.OrdinalIgnoreCase,
        Exact => null,
        _ => throw new System.Text.Json.JsonException($"'{name}' is no comparer"),
    };

    /// <summary>The comparer of a name; for null, the type's own.</summary>
    public static StringComparer? ForGeneric(string? name) => name is null ? null : ForTable(name);

    private static string NameOf(IEqualityComparer? comparer) => comparer is null || IsExact(comparer) ? Exact : throw Unknown(comparer);

    private static bool IsIgnoreCase(object? comparer) =>
        comparer is not null
        && (comparer.Equals(StringComparer.OrdinalIgnoreCase) || comparer.Equals(StringComparer.CurrentCultureIgnoreCase) || comparer.Equals(StringComparer.InvariantCultureIgnoreCase));

    private static bool IsExact(object comparer) =>
        comparer.Equals(StringComparer.Ordinal) || comparer.Equals(EqualityComparer<string>.Default);

    private static NotSupportedException Unknown(object comparer) => new($"it compares its keys by {comparer.GetType()}, which cannot be kept");

    private static object? ComparerOf(object collection) => collection switch
    {
        Hashtable table => ComparerOf(table),
        OrderedDictionary ordered => ComparerOf(ordered),
        _ => collection.GetType().GetProperty("Comparer")?.GetValue(collection),
    };

    // Both classes tell their comparer to derived classes alone.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_EqualityComparer")]
    private static extern IEqualityComparer? ComparerOf(Hashtable table);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_comparer")]
    private static extern ref IEqualityComparer? ComparerOf(OrderedDictionary dictionary);
}
