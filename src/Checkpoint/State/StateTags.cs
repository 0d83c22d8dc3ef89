namespace Checkpoint;

/// <summary>The members of the JSON dialect beside those of <see cref="ScalarJson"/>. docs/format.md describes the dialect.</summary>
internal static class StateTags
{
    public const string Object = "$object";
    public const string Deserialized = "$deserialized";
    public const string Xml = "$xml";
    public const string SecureString = "$securestring";
    public const string Credential = "$pscredential";
    public const string User = "user";
    public const string Types = "types";
    public const string Text = "text";
    public const string Value = "value";
    public const string Comparer = "comparer";
    public const string Lengths = "lengths";
    public const string Blob = "blob";
}
