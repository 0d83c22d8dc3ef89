using System.Management.Automation;

namespace Checkpoint;

/// <summary>The ToString of restored live objects. PowerShell calls it, and so it must be public.</summary>
public static class DeserializedText
{
    /// <summary>The text that the object had when it was saved.</summary>
    public static string ToString(PSObject instance) => LiveObject.FindText(instance) ?? "";
}
