using System.Globalization;
using System.Text;

namespace Checkpoint;

/// <summary>The one place that says which texts are names, and when two names are the same.</summary>
/// <remarks>
/// A name is 1 to 200 Unicode code points without control characters, kept in normalisation form C (Unicode Standard Annex 15). Two names are the
/// same when their <see cref="Key"/> is: case does not count, on any operating system.
/// </remarks>
internal static class CheckpointNames
{
    /// <summary>The most Unicode code points in a name.</summary>
    public const int MaxCodePoints = 200;

    /// <summary>False where .NET runs without ICU (globalization-invariant mode): there it composes no characters, and says nothing about it.</summary>
    private static readonly bool CanCompose = "e\u0301".Normalize(NormalizationForm.FormC) == "\u00e9";

    /// <summary>Checks a name and gives its normalised form.</summary>
    /// <param name="text">The name as the user wrote it.</param>
    /// <param name="what">What it names, for the message: <c>checkpoint</c>, <c>pipeline</c> or <c>run</c>.</param>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.InvalidName"/></exception>
    public static string Normalize(string? text, string what)
    {
        if (string.IsNullOrEmpty(text))
            throw CheckpointErrors.InvalidName(text ?? "", what, "it is empty");
        if (IsPlainAscii(text))
            return text.Length <= MaxCodePoints ? text : throw TooLong(text, what, text.Length);

        if (HasLoneSurrogate(text))
            throw CheckpointErrors.InvalidName(text, what, "it holds half of a surrogate pair, which is not a character");
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsControl(rune))
                throw CheckpointErrors.InvalidName(text, what, $"it holds the control character U+{rune.Value:X4}");
            if (!CanCompose && !IsStable(rune.Value))
                throw CheckpointErrors.InvalidName(text, what, $"this .NET runs without ICU and cannot normalise U+{rune.Value:X4}; install ICU, or use plain letters");
        }

        var normalized = Compose(text);
        var count = normalized.EnumerateRunes().Count();
        return count <= MaxCodePoints ? normalized : throw TooLong(text, what, count);
    }

    /// <summary>Whether a text can be a name.</summary>
    internal static bool IsName(string text)
    {
        try
        {
            Normalize(text, "checkpoint");
            return true;
        }
        catch (CheckpointException)
        {
            return false;
        }
    }

    /// <summary>The form under which a normalised name is compared and stored: each code point's upper case in lower case, normalised again.</summary>
    public static string Key(string normalized)
    {
        ArgumentNullException.ThrowIfNull(normalized);
        if (Ascii.IsValid(normalized))
            return normalized.AsSpan().ContainsAnyInRange('A', 'Z') ? normalized.ToLowerInvariant() : normalized;

        var folded = new StringBuilder(normalized.Length);
        foreach (var rune in normalized.EnumerateRunes())
            folded.Append(Fold(rune));
        return Compose(folded.ToString());
    }

    // .NET refuses U+FFFE, which composes with nothing.
    internal static string Compose(string text) => Ascii.IsValid(text) ? text : string.Join('\uFFFE', text.Split('\uFFFE').Select(part => part.Normalize(NormalizationForm.FormC)));

    /// <summary>
    /// Code points whose case, category and composition are the same in every Unicode version since 3.0, so that every .NET treats them alike:
    /// Latin to Extended-A, Greek, Cyrillic, Hebrew and Arabic letters, kana, unified ideographs, Hangul syllables.
    /// </summary>
    internal static bool IsStable(int codePoint) => codePoint is
        < 0x17F or (>= 0x391 and <= 0x3C9 and not 0x3A2 and not 0x3C2) or (>= 0x400 and <= 0x45F)
        or (>= 0x5D0 and <= 0x5EA) or (>= 0x621 and <= 0x63A) or (>= 0x641 and <= 0x64A)
        or (>= 0x3041 and <= 0x3094) or (>= 0x30A1 and <= 0x30FA) or (>= 0x4E00 and <= 0x9FA5) or (>= 0xAC00 and <= 0xD7A3);

    // Dotted capital I, dotless i, long s and capital sharp s are folded by some casing tables of .NET (ICU, NLS, invariant) and not by others.
    private static Rune Fold(Rune rune) =>
        rune.Value is 0x130 or 0x131 or 0x17F or 0x1E9E ? rune : Rune.ToLowerInvariant(Rune.ToUpperInvariant(rune));

    private static bool IsPlainAscii(string text) => Ascii.IsValid(text) && !text.AsSpan().ContainsAnyInRange('\0', '\x1F') && !text.Contains('\x7F');

    private static bool HasLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return true;
            i++;
        }
        return false;
    }

    private static CheckpointException TooLong(string text, string what, int count) =>
        CheckpointErrors.InvalidName(text, what, string.Create(CultureInfo.InvariantCulture, $"it has {count} characters and may have {MaxCodePoints}"));
}
