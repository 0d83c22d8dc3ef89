using System.Text;

namespace Checkpoint.Tests;

/// <summary>Names that are hard to make folders of.</summary>
internal static class HostileNames
{
    private static readonly string[] Pieces =
    [
        "..", "../", "..\\", "/", "\\", "~", "%", "%2e%2e", "%00", ":", "*", "?", "\"", "<", ">", "|", "$", "`", "'", ";", "&", "{0}", " ", ".", "-", "--", "CON", "con", "NUL", "COM1", "lpt9", "AUX.txt", "CONIN$", "COM¹",
        "desktop.ini", ".git", "stages", "runs", "run.json", "history.jsonl", "~lock", ".tmp", "0000000001.json", "items.jsonl", "etc/passwd", "C:", "\\\\?\\", "\\\\server\\share", "file:///", "a", "A", "b", "B", "é", "e\u0301", "É",
        "ß", "ss", "ẞ", "İ", "ı", "i\u0307", "ſ", "s", "Σ", "ς", "σ", "ﬁ", "fi", "Å", "\u212b", "K", "\u212a", "ｶ\uff9e", "ガ", "カ\u3099", "\uac00", "\u1100\u1161", "\u200f", "\u202e", "\u200b", "\u200d", "\ufeff", "\ufffe", "\uffff", "\u00ad", "\u00a0",
        "\u3000", "．", "／", "＼", "\u2024", "\u2044", "\u0345", "\u0958", "😀", "𐐀", "𐐨", "𝒜", "\U0010ffff", "👩\u200d💻",
    ];

    private static readonly string[] Whole = [".", "..", "...", "~", " ", "/", "\\", "a ", "a.", " a", "con.", "nul ", "-", "%", "*"];

    /// <summary>A name as a user might write it; not always one.</summary>
    public static string Next(Random random, IReadOnlyList<string> earlier) => random.Next(10) switch
    {
        0 => Whole[random.Next(Whole.Length)] + (random.Next(2) == 0 ? "" : Whole[random.Next(Whole.Length)]),
        // Close to one that was there before.
        1 or 2 when earlier.Count > 0 => Vary(earlier[random.Next(earlier.Count)], random),
        3 => string.Concat(Enumerable.Repeat(new Rune(random.Next(0x10000, 0x110000)).ToString(), random.Next(195, 201))),
        4 => new string((char)random.Next('!', '~'), random.Next(95, 201)),
        5 => string.Concat(Enumerable.Range(0, random.Next(60, 100)).Select(_ => Piece(random))),
        _ => string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => Piece(random))),
    };

    private static string Piece(Random random) => Pieces[random.Next(Pieces.Length)];

    private static string Vary(string name, Random random) => random.Next(8) switch
    {
        0 => name.ToUpperInvariant(),
        1 => name.ToLowerInvariant(),
        2 => Normalized(name, NormalizationForm.FormD),
        3 => Normalized(name, NormalizationForm.FormKC),
        4 => name + "\u200b",
        5 => name + ".",
        6 => FolderLayout.Escape(name),
        _ => name[..^1] + "x",
    };

    /// <summary>A normal form, also of what .NET refuses to normalise.</summary>
    public static string Normalized(string text, NormalizationForm form) => string.Join('\ufffe', text.Split('\ufffe').Select(part => part.Normalize(form)));
}
