using System.Collections;
using System.Management.Automation;
using System.Security;

namespace Checkpoint;

/// <summary>A value, unwrapped and classified.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Value">The value without the <see cref="PSObject"/> around it.</param>
/// <param name="TypeName">Of a list or map, the name of its type in <see cref="ClosedTypes"/>.</param>
/// <param name="Wrapper">The <see cref="PSObject"/> around it, or null.</param>
internal readonly record struct StateShape(ShapeKind Kind, object? Value, string TypeName = "", PSObject? Wrapper = null)
{
    public const string DeserializedPrefix = "Deserialized.";

    public static StateShape Of(object? value)
    {
        var wrapper = value as PSObject;
        if (wrapper is not null)
        {
            // What an empty pipeline gives is null to everybody who looks, and an object of no properties to nobody.
            if (ReferenceEquals(wrapper, System.Management.Automation.Internal.AutomationNull.Value))
                return new(ShapeKind.Scalar, null);
            value = wrapper.BaseObject;
            if (value is PSCustomObject)
                return IsDeserialized(wrapper) ? new(ShapeKind.Live, wrapper, Wrapper: wrapper) : new(ShapeKind.Object, wrapper, Wrapper: wrapper);
            if (IsDeserialized(wrapper))
                return new(ShapeKind.Live, value, Wrapper: wrapper);
        }
        if (value is null)
            return new(ShapeKind.Scalar, null);
        if (ScalarType.For(value.GetType()) is not null)
            return new(ShapeKind.Scalar, value);
        if (value is SecureString or PSCredential)
            return new(ShapeKind.Secret, value);
        if (value is System.Xml.XmlDocument)
            return new(ShapeKind.Xml, value);
        if (ClosedTypes.NameOf(value.GetType()) is { } name && value is not PSObject && value.GetType() != typeof(object))
            return new(value is IDictionary ? ShapeKind.Map : ShapeKind.List, value, name);
        return new(ShapeKind.Live, value, Wrapper: wrapper);
    }

    private static bool IsDeserialized(PSObject wrapper) =>
        wrapper.TypeNames.Count > 0 && wrapper.TypeNames[0].StartsWith(DeserializedPrefix, StringComparison.OrdinalIgnoreCase);
}
