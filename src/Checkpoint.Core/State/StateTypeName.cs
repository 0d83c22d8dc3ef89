namespace Checkpoint;

/// <summary>A type by its name in the JSON dialect, without any type behind it. docs/format.md describes the grammar.</summary>
/// <param name="Word">The name of a scalar, a plain or a generic type; null for an array.</param>
/// <param name="Arguments">The arguments of a generic type, or the items' type of an array.</param>
/// <param name="Rank">The dimensions of an array, else 0.</param>
internal sealed record StateTypeName(string? Word, StateTypeName[] Arguments, int Rank)
{
    private const int MaxNesting = 16;
    private const int MaxRank = 8;

    public bool IsMap => Word is "hashtable" or "ordered" or "dictionary";

    public bool IsList => Rank > 0 || Word is "list" or "hashset" or "queue" or "stack" or "arraylist";

    /// <summary>The scalar that it is, or null.</summary>
    public ScalarType? Scalar => Word is null ? null : ScalarType.Named(Word);

    /// <summary>The type of the items of a list or of the values of a table, or null where they may be anything.</summary>
    public StateTypeName? Item => Arguments.LastOrDefault();

    /// <returns>Null where there is no such type.</returns>
    public static StateTypeName? Parse(string name)
    {
        var rest = name.AsSpan();
        var type = Parse(ref rest, 0);
        return rest.IsEmpty ? type : null;
    }

    private static StateTypeName? Parse(ref ReadOnlySpan<char> text, int depth)
    {
        if (depth > MaxNesting)
            return null;
        var end = text.IndexOfAny("<>,[");
        var word = (end < 0 ? text : text[..end]).ToString();
        text = text[word.Length..];
        var arguments = new List<StateTypeName>();
        var wanted = word switch
        {
            "list" or "hashset" or "queue" or "stack" => 1,
            "dictionary" => 2,
            "object" or "pscustomobject" or "hashtable" or "ordered" or "arraylist" => 0,
            _ => ScalarType.Named(word) is null ? -1 : 0,
        };
        if (wanted < 0)
            return null;
        for (var i = 0; i < wanted; i++)
        {
            if (!text.StartsWith(i == 0 ? "<" : ",", StringComparison.Ordinal))
                return null;
            text = text[1..];
            if (Parse(ref text, depth + 1) is not { } argument)
                return null;
            arguments.Add(argument);
        }
        if (wanted > 0)
        {
            if (!text.StartsWith(">", StringComparison.Ordinal))
                return null;
            text = text[1..];
        }
        var type = new StateTypeName(word, [.. arguments], 0);
        while (text.StartsWith("[", StringComparison.Ordinal))
        {
            var close = text.IndexOf(']');
            if (close < 0 || text[1..close].ContainsAnyExcept(',') || close > MaxRank || ++depth > MaxNesting)
                return null;
            type = new StateTypeName(null, [type], close);
            text = text[(close + 1)..];
        }
        return type;
    }
}
