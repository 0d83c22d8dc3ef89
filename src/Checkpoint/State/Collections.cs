using System.Collections;
using System.Collections.Specialized;
using System.Management.Automation;
using System.Text.Json;

namespace Checkpoint;

/// <summary>Makes the collections of <see cref="ClosedTypes"/> from their items.</summary>
internal static class Collections
{
    public static Array ToArray(Type element, List<object?> items, int[] lengths)
    {
        var (count, extent) = (1L, 1L);
        foreach (var length in lengths)
        {
            count = length < 0 ? -1 : checked(count * length);
            extent = checked(extent * Math.Max(length, 1));
        }
        if (count != items.Count || extent > Array.MaxLength)
            throw new JsonException("The array's lengths do not fit its items.");
        var array = Array.CreateInstance(element, lengths);
        try
        {
            if (lengths.Length == 1)
            {
                for (var i = 0; i < items.Count; i++)
                    array.SetValue(Wrap(items[i], element), i);
                return array;
            }
            var index = new int[lengths.Length];
            foreach (var item in items)
            {
                array.SetValue(Wrap(item, element), index);
                for (var d = index.Length - 1; d >= 0 && ++index[d] == lengths[d]; d--)
                    index[d] = 0;
            }
        }
        catch (InvalidCastException e)
        {
            throw new JsonException($"An item is no {element}.", e);
        }
        return array;
    }

    public static object Create(Type type, Type element, List<object?> items, string? comparer)
    {
        if (type == typeof(ArrayList))
            return new ArrayList(items);
        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : null;
        if (definition == typeof(Stack<>))
            items.Reverse(); // A stack is listed from its top and filled from its bottom.
        else if (definition is null)
            throw new JsonException($"A {type} is no list.");
        if (definition == typeof(List<>))
        {
            var list = (IList)Activator.CreateInstance(type, items.Count)!;
            try
            {
                foreach (var item in items)
                    list.Add(Wrap(item, element));
            }
            catch (ArgumentException e)
            {
                throw new JsonException($"An item is no {element}.", e);
            }
            return list;
        }
        var array = ToArray(element, items, [items.Count]);
        var made = (IEnumerable)(comparer is null ? Activator.CreateInstance(type, array)! : Activator.CreateInstance(type, array, Comparers.ForGeneric(comparer))!);
        return made.Cast<object?>().Count() == items.Count ? made : throw new JsonException("An item of a set stands twice.");
    }

    public static IDictionary CreateMap(Type type, List<(object Key, object? Value)> entries, string? comparer)
    {
        IDictionary map = type == typeof(Hashtable) ? new Hashtable(entries.Count, Comparers.ForTable(comparer))
            : type == typeof(OrderedDictionary) ? new OrderedDictionary(entries.Count, Comparers.ForTable(comparer))
            : Comparers.ForGeneric(comparer) is { } given ? (IDictionary)Activator.CreateInstance(type, given)!
            : (IDictionary)Activator.CreateInstance(type)!;
        var (keyType, valueType) = type.IsGenericType ? (type.GetGenericArguments()[0], type.GetGenericArguments()[1]) : (typeof(object), typeof(object));
        try
        {
            foreach (var (key, value) in entries)
                map.Add(Wrap(key, keyType)!, Wrap(value, valueType));
        }
        catch (ArgumentException e)
        {
            throw new JsonException("A key stands twice, or has another type than its table.", e);
        }
        return map;
    }

    // A list of [psobject] holds wrappers.
    private static object? Wrap(object? item, Type type) => item is not null && type == typeof(PSObject) ? PSObject.AsPSObject(item) : item;
}
