using System.Collections;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>Finds what an item is known by.</summary>
/// <param name="key">The name of a property, a script block, or null for the item itself.</param>
/// <exception cref="InvalidArgumentException">It is something else.</exception>
internal sealed class ItemKeyReader(object? key)
{
    private readonly object? _key = (key is PSObject wrapped ? wrapped.BaseObject : key) is var plain and (null or string or ScriptBlock) ? plain
        : throw new InvalidArgumentException("-Key is the name of a property or a script block.");

    /// <summary>The key of an item.</summary>
    /// <exception cref="InvalidArgumentException">It has none.</exception>
    public string Of(object? item)
    {
        var value = _key switch
        {
            null => item,
            ScriptBlock block => Single(block, item),
            _ => Property(item, (string)_key),
        };
        var plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        return ItemKey.TextOf(plain) ?? throw CheckpointErrors.NoItemKey(_key is null ? NameOf(plain) : $"{NameOf(item)}, whose -Key gives {(plain is null ? "nothing" : $"a {NameOf(plain)}")},");
    }

    private static object? Single(ScriptBlock block, object? item)
    {
        var values = block.InvokeWithContext(null, [new PSVariable("_", item)], item);
        return values.Count == 1 ? values[0] : values.Count == 0 ? null : values;
    }

    private static object? Property(object? item, string name)
    {
        if (item is null)
            return null;
        if ((item is PSObject wrapped ? wrapped.BaseObject : item) is IDictionary table && table.Contains(name))
            return table[name];
        return PSObject.AsPSObject(item).Properties[name]?.Value;
    }

    private static string NameOf(object? value) => (value is PSObject wrapped ? wrapped.BaseObject : value)?.GetType().FullName ?? "null";
}
