using System.Collections;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>Takes PowerShell's tables apart into the facts that metadata and identities are.</summary>
internal static class Facts
{
    public static ReadOnlyDictionary<string, object?> From(IDictionary table)
    {
        var facts = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry entry in table)
        {
            var key = Convert.ToString(entry.Key, CultureInfo.InvariantCulture) ?? "";
            if (!facts.TryAdd(key, Unwrap(entry.Value)))
                throw CheckpointErrors.NotSerializable($"metadata.{key}", "the key stands twice when case does not count");
        }
        // A hashtable has no order of its own; the file should not show its random one.
        return new(table is Hashtable ? new Dictionary<string, object?>(facts.OrderBy(f => f.Key, StringComparer.Ordinal), StringComparer.OrdinalIgnoreCase) : facts);
    }

    public static ReadOnlyDictionary<string, object?> From(PSObject bag) =>
        new(bag.Properties.Where(p => p.IsGettable).ToDictionary(p => p.Name, p => Unwrap(p.Value), StringComparer.OrdinalIgnoreCase));

    private static object? Unwrap(object? value)
    {
        var shape = StateShape.Of(value);
        return shape is { Kind: ShapeKind.List, Value: IEnumerable items } ? items.Cast<object?>().Select(i => StateShape.Of(i).Value).ToArray()
            : shape.Value is Enum number ? number.ToString()
            : shape.Value;
    }
}
