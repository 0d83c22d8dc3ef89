using System.Text;

namespace Checkpoint.Cli;

/// <summary>A table for people: each column as wide as it must be. What does not fit is cut at the end of the widest.</summary>
internal static class Table
{
    private const string Gap = "  ";
    private const int Least = 8;

    /// <param name="output">Where to.</param>
    /// <param name="width">How many columns there are.</param>
    /// <param name="headers">The names of the columns; one that ends in &gt; is aligned to the right.</param>
    /// <param name="rows">The cells.</param>
    public static void Write(TextWriter output, int width, string[] headers, IReadOnlyList<string?[]> rows)
    {
        if (rows.Count == 0)
            return;
        var isRight = headers.Select(h => h.EndsWith('>')).ToArray();
        var titles = headers.Select(h => h.TrimEnd('>')).ToArray();
        var cells = rows.Select(row => row.Select(cell => Clean(cell ?? "")).ToArray()).ToList();
        var widths = titles.Select((title, i) => Math.Max(Columns(title), cells.Max(row => Columns(row[i])))).ToArray();
        for (var excess = widths.Sum() + (Gap.Length * (widths.Length - 1)) - (long)width; excess > 0;)
        {
            var widest = Array.IndexOf(widths, widths.Max());
            var cut = (int)Math.Min(excess, widths[widest] - Least);
            if (cut <= 0)
                break;
            // One column gives way after the other, as far as the next.
            cut = Math.Min(cut, Math.Max(1, widths[widest] - widths.Where((_, i) => i != widest).DefaultIfEmpty(0).Max()));
            widths[widest] -= cut;
            excess -= cut;
        }
        WriteRow(output, titles, widths, isRight);
        WriteRow(output, [.. titles.Select(title => new string('-', Columns(title)))], widths, isRight);
        foreach (var row in cells)
            WriteRow(output, row, widths, isRight);
    }

    private static void WriteRow(TextWriter output, string[] cells, int[] widths, bool[] isRight)
    {
        var line = new StringBuilder();
        for (var i = 0; i < cells.Length; i++)
        {
            var cell = Cut(cells[i], widths[i]);
            var pad = new string(' ', Math.Max(0, widths[i] - Columns(cell)));
            line.Append(i == 0 ? "" : Gap).Append(isRight[i] ? pad + cell : cell + pad);
        }
        output.WriteLine(line.ToString().TrimEnd());
    }

    private static string Cut(string text, int width)
    {
        if (Columns(text) <= width)
            return text;
        var cut = new StringBuilder();
        var used = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            used += Columns(rune);
            if (used > width - 1)
                break;
            cut.Append(rune.ToString());
        }
        return cut.Append('…').ToString();
    }

    private static int Columns(string text) => text.EnumerateRunes().Sum(Columns);

    // As terminals have it: what is put on the letter before takes none, ideographs and the like take two.
    private static int Columns(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.EnclosingMark or System.Globalization.UnicodeCategory.Format => 0,
        _ => rune.Value is (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3) or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE6F) or (>= 0xFF00 and <= 0xFF60) or (>= 0x1F300 and <= 0x1FAFF) or (>= 0x20000 and <= 0x3FFFD) ? 2 : 1,
    };

    // What a message quotes must not steer the terminal.
    private static string Clean(string text) => LogText.Shown(text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)) : text);
}
