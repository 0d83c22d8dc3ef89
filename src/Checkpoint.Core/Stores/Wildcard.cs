using System.Text;
using System.Text.RegularExpressions;

namespace Checkpoint;

/// <summary>Patterns of names as PowerShell has them: <c>*</c>, <c>?</c> and <c>[a-z]</c>. Case does not count.</summary>
internal static class Wildcard
{
    /// <summary>Whether a text may be meant as a pattern.</summary>
    public static bool IsPattern(string text) => text.AsSpan().IndexOfAny("*?[") >= 0;

    /// <summary>The names that fit a pattern; where it is none that can be read, the name that is written so.</summary>
    public static NamePattern Parse(string text, string what)
    {
        if (text == "*")
            return NamePattern.Any;
        if (!IsPattern(text))
            return NamePattern.Of(CheckpointNames.Normalize(text, what));
        // Names are compared by their keys: what stands between the wildcards is too.
        if (TryParse(CheckpointNames.Key(CheckpointNames.Compose(text))) is not { } pattern)
            return NamePattern.Of(CheckpointNames.Normalize(text, what));
        return NamePattern.Where(name => pattern.IsMatch(CheckpointNames.Key(name)));
    }

    /// <summary>Whether a word fits a pattern, as an event.</summary>
    public static bool Matches(string pattern, string word) => TryParse(pattern) is { } regex ? regex.IsMatch(word) : string.Equals(pattern, word, StringComparison.OrdinalIgnoreCase);

    private static Regex? TryParse(string text)
    {
        var pattern = new StringBuilder("^");
        for (var i = 0; i < text.Length; i++)
        {
            var end = text[i] == '[' ? text.IndexOf(']', Math.Min(i + 2, text.Length)) : -1;
            if (text[i] == '[' && end < 0)
                return null;
            pattern.Append(text[i] switch
            {
                '*' => ".*",
                '?' => ".",
                '[' => "[" + string.Concat(text[(i + 1)..end].Select(c => c is '\\' or '^' or ']' or '[' ? "\\" + c : c.ToString())) + "]",
                var c => Regex.Escape(c.ToString()),
            });
            i = Math.Max(i, end);
        }
        try
        {
            return new Regex(pattern.Append('$').ToString(), RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.NonBacktracking);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
