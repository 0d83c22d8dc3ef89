using System.Text;
using System.Text.RegularExpressions;

namespace Checkpoint;

/// <summary>Takes the meaning from commands of CI systems in data that is told in a log: a name or a message must not set a variable.</summary>
/// <remarks>
/// GitHub Actions takes <c>::name …::</c> at the beginning of a line for a command and <c>##[name …]</c> anywhere in it (ActionCommand.cs of actions/runner), Azure DevOps
/// <c>##vso[…]</c> anywhere (Command.cs of azure-pipelines-agent). Both compare by the rules of a culture, to which control and format characters, marks and some letters between or before these are not
/// there. A terminal breaks lines where it likes, so no place is a safe one. What breaks commands is a blank, which counts to every culture.
/// </remarks>
internal static partial class LogText
{
    // What is not there where a culture compares, and more.
    private const string Unseen = @"[\p{C}\p{M}\u0640\u07FA\uFE73\u180A\u1CD3-[\t\r\n]]*";

    /// <summary>The text without commands. Line breaks stay.</summary>
    public static string Safe(string text) => text.AsSpan().Count('#') > 1 || text.AsSpan().Count(':') > 3 ? Command().Replace(text, static m => Sign().Replace(m.Value, "$0 ")) : text;

    /// <summary>The text as it may be shown: without commands where a CI system reads along, whatever was turned off, and as it is elsewhere.</summary>
    public static string Shown(string text) => Safe(text) is var safe && !ReferenceEquals(safe, text) && CISystem.Recognize(Environment.GetEnvironmentVariable) is not null ? safe : text;

    /// <summary>The text in one line, without commands.</summary>
    public static string Line(string text)
    {
        var line = new StringBuilder(text);
        for (var i = 0; i < line.Length; i++)
        {
            if (char.IsControl(line[i]) || line[i] is '\u2028' or '\u2029')
                line[i] = ' ';
        }
        return Safe(line.ToString());
    }

    // Of "::" alone, as in [IO.File]::Exists, nothing is a command: a second one must end it.
    [GeneratedRegex($@"#(?:{Unseen}#)+(?={Unseen}(?:\[|v{Unseen}s{Unseen}o{Unseen}\[))|:(?:{Unseen}:)+(?=.*?:{Unseen}:)", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Command();

    [GeneratedRegex("[#:](?!$)")]
    private static partial Regex Sign();
}
