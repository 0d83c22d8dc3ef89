using System.Collections;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>Takes PowerShell's tables apart into the facts that metadata and identities are.</summary>
internal static class Facts
{
    /// <summary>The entries of a table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="what">What its facts are, for messages: <c>metadata</c> or <c>identity</c>.</param>
    /// <exception cref="UnkeptValueException">A key stands twice, or an entry cannot be read.</exception>
    public static ReadOnlyDictionary<string, object?> From(IDictionary table, string what)
    {
        var facts = Read(table, what, Entries(table));
        // A hashtable has no order of its own; the file should not show its random one.
        return new(table is Hashtable ? new Dictionary<string, object?>(facts.OrderBy(f => f.Key, StringComparer.Ordinal), StringComparer.OrdinalIgnoreCase) : facts);
    }

    /// <summary>The properties of an object.</summary>
    /// <inheritdoc cref="From(IDictionary, string)"/>
    public static ReadOnlyDictionary<string, object?> From(PSObject bag, string what) =>
        new(Read(bag, what, bag.Properties.Where(p => p.IsGettable).Select(p => (p.Name, (Func<object?>)(() => p.Value)))));

    private static Dictionary<string, object?> Read(object container, string what, IEnumerable<(string Name, Func<object?> Value)> entries)
    {
        var path = new ObjectPath(what);
        path.Enter(container);
        return path.Walk(() =>
        {
            var facts = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
            foreach (var (name, value) in entries)
            {
                path.At(name);
                if (!facts.TryAdd(name, Unwrap(value(), path)))
                    throw CheckpointErrors.NotSerializable(path.ToString(), "the key stands twice when case does not count");
            }
            return facts;
        });
    }

    private static IEnumerable<(string, Func<object?>)> Entries(IDictionary table)
    {
        foreach (DictionaryEntry entry in table)
            yield return (Convert.ToString(entry.Key, CultureInfo.InvariantCulture) ?? "", () => entry.Value);
    }

    // Lists become read only, as those of a record are.
    private static object? Unwrap(object? value, ObjectPath path)
    {
        var shape = StateShape.Of(value);
        if (shape.Kind == ShapeKind.Secret)
            throw CheckpointErrors.SecretInFacts(path.ToString(), shape.Value!.GetType().Name);
        return shape.Value is IEnumerable items and not Array { Rank: > 1 } && (shape.Kind == ShapeKind.List || items is IList)
            ? items.Cast<object?>().Select(i => Fact(StateShape.Of(i).Value)).ToList().AsReadOnly()
            : Fact(shape.Value);
    }

    private static object? Fact(object? value) => value is Enum number ? number.ToString() : value;
}
