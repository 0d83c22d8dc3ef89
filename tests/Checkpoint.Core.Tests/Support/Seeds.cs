using System.Text;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>Random cases that can be had again: the seed is printed, and CHECKPOINT_TEST_SEED sets it.</summary>
internal static class Seeds
{
    private static readonly string[] Pieces =
    [
        "a", "b", "Z", "0", "9", "-", "_", ".", " ", "/", "\\", ":", "%", "~", "*", "%41", "..", "con", "ä", "Ö", "ß", "ẞ", "İ", "ı", "ſ", "é", "e\u0301", "\u212a", "Σ", "ς", "я", "א", "ع",
        "日", "カ", "ｶ\uff9e", "가", "ﬁ", "ǆ", "\u0958", "\u0301", "\u0345", "T", "\u0308", "😀", "𐐀", "\u200d", "\u00a0", "\ufffe",
    ];

    public static Random New(ITestOutputHelper output)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("CHECKPOINT_TEST_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"CHECKPOINT_TEST_SEED={seed}");
        return new Random(seed);
    }

    /// <summary>A name, normalised, of what is hardest to name a folder after.</summary>
    public static string Name(Random random)
    {
        for (; ; )
        {
            var text = new StringBuilder();
            var length = random.Next(5) == 0 ? random.Next(40, 200) : random.Next(1, 12);
            for (var i = 0; i < length; i++)
                text.Append(random.Next(4) == 0 ? RandomRune(random).ToString() : Pieces[random.Next(Pieces.Length)]);
            try
            {
                return CheckpointNames.Normalize(text.ToString(), "checkpoint");
            }
            catch (CheckpointException)
            {
                // Too long, or composed of nothing.
            }
        }
    }

    private static Rune RandomRune(Random random)
    {
        for (; ; )
        {
            var value = random.Next(3) switch { 0 => random.Next(0x20, 0x250), 1 => random.Next(0x20, 0x10000), _ => random.Next(0x10000, 0x110000) };
            if (Rune.IsValid(value) && !Rune.IsControl(new Rune(value)))
                return new Rune(value);
        }
    }
}
