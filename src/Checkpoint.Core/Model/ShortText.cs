namespace Checkpoint;

/// <summary>Texts that must not be too long.</summary>
internal static class ShortText
{
    /// <summary>The text, or where it is longer than so many UTF-16 code units, as much of it with a sign of what is missing.</summary>
    public static string Cut(string text, int length) =>
        text.Length <= length ? text : string.Concat(text.AsSpan(0, length - (char.IsHighSurrogate(text[length - 1]) ? 1 : 0)), "…");
}
