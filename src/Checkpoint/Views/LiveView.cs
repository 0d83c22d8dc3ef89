using System.Management.Automation.Host;
using System.Text;

namespace Checkpoint;

/// <summary>Draws lines on a terminal, each time in place of those before.</summary>
/// <remarks>The sequences are those of ECMA-48: CPL, which goes up, ED, which clears what is below, and SGR, which colours.</remarks>
internal sealed class LiveView(PSHostUserInterface terminal, bool inColour)
{
    private const int DefaultWidth = 80, DefaultHeight = 24;

    private int _drawn;

    /// <summary>The columns and lines that there are.</summary>
    public (int Width, int Height) Size
    {
        get
        {
            try
            {
                // The last column stays free: a terminal may wrap what reaches it.
                return terminal.RawUI.WindowSize is { Width: > 1, Height: > 1 } size ? (size.Width - 1, size.Height - 1) : (DefaultWidth - 1, DefaultHeight - 1);
            }
            catch (HostException)
            {
                return (DefaultWidth - 1, DefaultHeight - 1);
            }
        }
    }

    /// <summary>How many columns a text takes.</summary>
    public int Cells(string text)
    {
        try
        {
            return terminal.RawUI.LengthInBufferCells(text);
        }
        catch (HostException)
        {
            return text.Length;
        }
    }

    public void Draw(IReadOnlyList<RunViewLine> lines)
    {
        var text = new StringBuilder();
        if (_drawn > 0)
            text.Append("\e[").Append(_drawn).Append('F');
        text.Append("\e[J");
        foreach (var line in lines)
            text.Append(inColour ? Colour(line.Status) : "").Append(line.Text).Append(inColour ? "\e[0m" : "").Append('\n');
        terminal.Write(text.ToString());
        _drawn = lines.Count;
    }

    private static string Colour(string? status) => status switch
    {
        "Completed" or "Skipped" => "\e[32m",
        "Failed" => "\e[31m",
        "Running" or "Begun" => "\e[36m",
        "Partial" or "Interrupted" => "\e[33m",
        _ => "",
    };
}
