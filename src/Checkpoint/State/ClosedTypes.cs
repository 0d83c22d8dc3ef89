using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Specialized;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>
/// The types that state keeps exactly, by their names in the JSON dialect. The set is closed: a name in a file can only ever choose among these and their
/// compositions, such as <c>list&lt;int32&gt;</c>, <c>string[]</c> or <c>dictionary&lt;string,object&gt;</c>.
/// </summary>
internal static class ClosedTypes
{
    private const int MaxNesting = 16;
    private const int MaxRank = 8;

    // Queue<T> and HashSet<T> lie in assemblies that PowerShell has loaded in any case.
    private static readonly (string Name, Type Type)[] Plain =
    [
        ("object", typeof(object)), ("pscustomobject", typeof(PSObject)), ("hashtable", typeof(Hashtable)), ("ordered", typeof(OrderedDictionary)), ("arraylist", typeof(ArrayList)),
    ];

    private static readonly (string Name, Type Type)[] Generic =
    [
        ("list", typeof(List<>)), ("hashset", typeof(HashSet<>)), ("queue", typeof(Queue<>)), ("stack", typeof(Stack<>)), ("dictionary", typeof(Dictionary<,>)),
    ];

    private static readonly ConcurrentDictionary<Type, string?> Names = new();

    /// <summary>The name of a type, or null where state does not keep it exactly.</summary>
    public static string? NameOf(Type type) => Names.GetOrAdd(type, static t => BuildName(t, 0));

    /// <summary>The type of a name, or null where there is none.</summary>
    public static Type? Find(string name)
    {
        var rest = name.AsSpan();
        var type = Parse(ref rest, 0);
        return rest.IsEmpty ? type : null;
    }

    private static string? BuildName(Type type, int depth)
    {
        if (depth > MaxNesting)
            return null;
        if (ScalarType.For(type) is { } scalar)
            return scalar.Name;
        foreach (var (name, plain) in Plain)
        {
            if (plain == type)
                return name;
        }
        if (type.IsArray)
        {
            var rank = type.GetArrayRank();
            // An array with another lower bound than 0 is no vector, though it has one dimension.
            return rank > MaxRank || (rank == 1 && !type.IsSZArray) || BuildName(type.GetElementType()!, depth + 1) is not { } element ? null
                : $"{element}[{new string(',', rank - 1)}]";
        }
        if (!type.IsGenericType)
            return null;
        var definition = type.GetGenericTypeDefinition();
        foreach (var (name, generic) in Generic)
        {
            if (generic != definition)
                continue;
            var arguments = type.GetGenericArguments().Select(a => BuildName(a, depth + 1)).ToList();
            return arguments.Contains(null) ? null : $"{name}<{string.Join(',', arguments)}>";
        }
        return null;
    }

    private static Type? Parse(ref ReadOnlySpan<char> text, int depth)
    {
        if (depth > MaxNesting)
            return null;
        var end = text.IndexOfAny("<>,[");
        var word = (end < 0 ? text : text[..end]).ToString();
        text = text[word.Length..];
        var type = text.StartsWith("<", StringComparison.Ordinal) ? ParseGeneric(word, ref text, depth) : ScalarType.Named(word)?.Type ?? Lookup(Plain, word);
        while (type is not null && text.StartsWith("[", StringComparison.Ordinal))
        {
            var close = text.IndexOf(']');
            if (close < 0 || text[1..close].ContainsAnyExcept(',') || close > MaxRank || ++depth > MaxNesting)
                return null;
            type = close == 1 ? type.MakeArrayType() : type.MakeArrayType(close);
            text = text[(close + 1)..];
        }
        return type;
    }

    private static Type? ParseGeneric(string word, ref ReadOnlySpan<char> text, int depth)
    {
        if (Lookup(Generic, word) is not { } definition)
            return null;
        var arguments = new List<Type>();
        do
        {
            text = text[1..];
            if (Parse(ref text, depth + 1) is not { } argument)
                return null;
            arguments.Add(argument);
        }
        while (text.StartsWith(",", StringComparison.Ordinal));
        if (!text.StartsWith(">", StringComparison.Ordinal) || arguments.Count != definition.GetGenericArguments().Length)
            return null;
        text = text[1..];
        return definition.MakeGenericType([.. arguments]);
    }

    private static Type? Lookup((string Name, Type Type)[] table, string name)
    {
        foreach (var (known, type) in table)
        {
            if (known == name)
                return type;
        }
        return null;
    }
}
