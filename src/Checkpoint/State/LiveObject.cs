using System.Collections;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Runtime.CompilerServices;

namespace Checkpoint;

/// <summary>
/// What is kept of a live object, by the rules of PowerShell remoting: its type names, its text, and its properties or items. Sources: [MS-PSRP] section
/// 2.2.5.2, and about_Types.ps1xml for SerializationMethod.
/// </summary>
internal sealed class LiveObject
{
    // PSObject tells the text of a deserialised object to PowerShell's own serializer alone.
    private static readonly ConditionalWeakTable<object, string> Texts = [];
    private static readonly System.Reflection.MethodInfo TextMethod = typeof(DeserializedText).GetMethod(nameof(DeserializedText.ToString), [typeof(PSObject)])!;

    private bool _isEnum;

    private LiveObject(PSObject wrapper, string text)
    {
        WasDeserialized = wrapper.TypeNames[0].StartsWith(StateShape.DeserializedPrefix, StringComparison.OrdinalIgnoreCase);
        Types = wrapper.TypeNames.Select(t => WasDeserialized ? t : StateShape.DeserializedPrefix + t).ToList();
        Text = text;
    }

    /// <summary>Whether it is such a property bag already, from remoting or an earlier restore.</summary>
    public bool WasDeserialized { get; }

    /// <summary>The type names, each beginning with <c>Deserialized.</c>.</summary>
    public IReadOnlyList<string> Types { get; }

    public string Text { get; }

    /// <summary>Whether the type asks to be kept as its text alone.</summary>
    public bool IsText { get; private init; }

    /// <summary>For an enumeration the number, for a dictionary its entries, for a deserialised object what it wraps; else null.</summary>
    public object? BaseValue { get; private init; }

    /// <summary>For a collection its items; else null.</summary>
    public IEnumerable? Items { get; private init; }

    public IReadOnlyList<KeyValuePair<string, object?>> Properties { get; private init; } = [];

    /// <summary>Whether the object is kept as its text here: inside another live object most are.</summary>
    public bool IsTextIn(bool insideLive) => IsText || (insideLive && !WasDeserialized && (BaseValue is null || _isEnum));

    public static LiveObject Describe(in StateShape shape)
    {
        var wrapper = shape.Wrapper ?? PSObject.AsPSObject(shape.Value!);
        switch (shape.Value)
        {
            case PSObject:
                return new(wrapper, KnownText(wrapper)) { Properties = PropertiesOf(wrapper, null) };
            case Enum number:
                return new(wrapper, number.ToString()) { _isEnum = true, BaseValue = Convert.ChangeType(number, Enum.GetUnderlyingType(number.GetType()), CultureInfo.InvariantCulture) };
            case { } wrapped when shape.Wrapper is not null && StateShape.Of(wrapped).Kind is not ShapeKind.Live:
                return new(wrapper, KnownText(wrapper)) { BaseValue = wrapped };
            case IDictionary entries:
                return new(wrapper, KnownText(wrapper)) { BaseValue = ToTable(entries) };
            case ScriptBlock block:
                return new(wrapper, block.ToString()) { IsText = true };
        }
        // As a pipeline would: the rows of a data table too, but not the children of an XML node.
        if (LanguagePrimitives.GetEnumerable(shape.Value) is { } items)
            return items is ICollection ? new(wrapper, KnownText(wrapper)) { Items = items } : Gather(wrapper, items);
        return (StandardMember(wrapper, "SerializationMethod") as PSPropertyInfo)?.Value?.ToString() switch
        {
            "String" => new(wrapper, SourceText(wrapper) ?? KnownText(wrapper)) { IsText = true },
            "SpecificProperties" => new(wrapper, KnownText(wrapper)) { Properties = PropertiesOf(wrapper, (StandardMember(wrapper, "PropertySerializationSet") as PSPropertySet)?.ReferencedPropertyNames) },
            _ => new(wrapper, KnownText(wrapper)) { Properties = PropertiesOf(wrapper, null) },
        };
    }

    /// <summary>Makes the property bag that stands for the object.</summary>
    public static PSObject Restore(IEnumerable<string> types, string text, object? baseValue, IEnumerable<KeyValuePair<string, object?>> properties)
    {
        var bag = baseValue is null ? new PSObject() : new PSObject(baseValue);
        bag.TypeNames.Clear();
        foreach (var type in types)
            bag.TypeNames.Add(type);
        foreach (var (name, value) in properties)
            bag.Properties.Add(new PSNoteProperty(name, value), preValidated: true);
        Texts.Add(bag, text);
        bag.Methods.Add(new PSCodeMethod(nameof(ToString), TextMethod));
        return bag;
    }

    /// <summary>The text that a restored object had when it was live, or null.</summary>
    public static string? FindText(PSObject bag) => Texts.TryGetValue(bag, out var text) ? text : null;

    // What can be gone through only once must not be used up by its text.
    private static LiveObject Gather(PSObject wrapper, IEnumerable items)
    {
        var gathered = new ArrayList();
        try
        {
            foreach (var item in items)
                gathered.Add(item);
        }
        catch (Exception e) when (ObjectPath.IsOfObject(e))
        {
            return new(wrapper, wrapper.TypeNames[0]) { Items = Again(gathered, e) };
        }
        return new(wrapper, FindText(wrapper) ?? KnownText(PSObject.AsPSObject(gathered))) { Items = gathered };
    }

    // Whoever goes through it meets the error at its place.
    private static IEnumerable Again(ArrayList items, Exception error)
    {
        foreach (var item in items)
            yield return item;
        System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
    }

    private static Hashtable ToTable(IDictionary entries)
    {
        try
        {
            return new Hashtable(entries, StringComparer.OrdinalIgnoreCase);
        }
        catch (ArgumentException)
        {
            // Keys that differ in case alone.
            return new Hashtable(entries);
        }
    }

    private static string KnownText(PSObject wrapper)
    {
        if (FindText(wrapper) is { } known)
            return known;
        // The same on every machine.
        var culture = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            return wrapper.ToString() ?? "";
        }
        catch (RuntimeException)
        {
            // A ToString that throws.
            return wrapper.TypeNames[0];
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    private static List<KeyValuePair<string, object?>> PropertiesOf(PSObject wrapper, Collection<string>? names)
    {
        var properties = new List<KeyValuePair<string, object?>>();
        foreach (var property in wrapper.Properties)
        {
            if (!property.IsGettable || (names is not null && !names.Contains(property.Name, StringComparer.OrdinalIgnoreCase)))
                continue;
            object? value;
            try
            {
                value = property.Value;
            }
            catch (GetValueException)
            {
                // As in remoting, a property that cannot be read has no value.
                value = null;
            }
            properties.Add(new(property.Name, value));
        }
        return properties;
    }

    private static string? SourceText(PSObject wrapper) => (StandardMember(wrapper, "StringSerializationSource") as PSPropertyInfo)?.Value?.ToString();

    private static PSMemberInfo? StandardMember(PSObject wrapper, string member) => (wrapper.Members["PSStandardMembers"] as PSMemberSet)?.Members[member];
}
