using System.Globalization;
using System.Text;

namespace Checkpoint;

/// <summary>The name of the step output that tells what became of a stage.</summary>
/// <remarks>
/// <c>checkpoint-</c> and the stage's name. Letters of ASCII, digits, <c>-</c> and <c>_</c> stand for themselves; every other byte of its UTF-8 is a point and two hexadecimal
/// digits, so that no two stages have the same output and none a name that a file or a command would read otherwise. CI systems ignore the case of names, as this module does: of
/// a name beyond ASCII, where they may not, it is the form under which names are compared.
/// </remarks>
internal static class StepOutputName
{
    private const string Prefix = "checkpoint-";

    /// <summary>The output of a stage.</summary>
    public static string Of(string stage)
    {
        var name = new StringBuilder(Prefix);
        foreach (var b in Encoding.UTF8.GetBytes(Ascii.IsValid(stage) ? stage : CheckpointNames.Key(stage)))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_')
                name.Append((char)b);
            else
                name.Append('.').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
        return name.ToString();
    }
}
