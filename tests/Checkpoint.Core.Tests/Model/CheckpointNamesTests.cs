using System.Text;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

public sealed class CheckpointNamesTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("a")]
    [InlineData(" ")]
    [InlineData("../../x")]
    [InlineData("CON")]
    [InlineData("a.")]
    [InlineData("a/b\\c:d*e?f\"g<h>i|j")]
    [InlineData("日本語 ελληνικά العربية")]
    [InlineData("😀")]
    [InlineData("\u00a0\u200b\u2028\ufeff")]
    [InlineData("\ufffd")]
    [InlineData("\uffff")]
    public void Any_text_without_control_characters_is_a_name_and_stays_as_it_is(string text) => Assert.Equal(text, CheckpointNames.Normalize(text, "checkpoint"));

    [Fact]
    public void A_name_has_1_to_200_code_points()
    {
        foreach (var one in new[] { "a", "ä", "あ", "😀" })
        {
            var longest = string.Concat(Enumerable.Repeat(one, 200));
            Assert.Equal(one, CheckpointNames.Normalize(one, "checkpoint"));
            Assert.Equal(longest, CheckpointNames.Normalize(longest, "checkpoint"));
            AssertInvalid(longest + one, "201 characters");
            AssertInvalid(longest + "b", "201 characters");
        }
        AssertInvalid("", "empty");
        AssertInvalid(null, "empty");
        Assert.Equal(200, CheckpointNames.MaxCodePoints);
    }

    [Fact]
    public void Code_points_are_counted_in_the_normal_form()
    {
        var decomposed = string.Concat(Enumerable.Repeat("e\u0301", 200));
        Assert.Equal(new string('\u00e9', 200), CheckpointNames.Normalize(decomposed, "checkpoint"));
        AssertInvalid(decomposed + "e\u0301", "201 characters");
        // U+0958 is two code points in every normal form.
        AssertInvalid(new string('\u0958', 101), "202 characters");
    }

    [Fact]
    public void No_control_character_is_in_a_name()
    {
        foreach (var control in Enumerable.Range(0, 0x20).Concat(Enumerable.Range(0x7F, 0x21)))
        {
            var c = (char)control;
            foreach (var text in new[] { c.ToString(), $"a{c}", $"{c}a", $"a{c}a", $"ä{c}" })
                AssertInvalid(text, $"U+{control:X4}");
        }
        Assert.Equal("\u00a0", CheckpointNames.Normalize("\u00a0", "checkpoint"));
    }

    [Fact]
    public void Half_a_surrogate_pair_is_no_character()
    {
        foreach (var text in new[] { "\ud800", "\udc00", "a\ud83d", "\ude00a", "\ude00\ud83d", "😀\ud83d", "\ud83d\ud83d\ude00" })
            AssertInvalid(text, "surrogate");
    }

    [Fact]
    public void Code_points_that_are_no_characters_are_in_names_too()
    {
        // .NET refuses to normalise U+FFFE, alone of all.
        foreach (var other in new[] { "\ufffe", "a\ufffe", "\ufffe\ufffea", "\uffff", "\ufdd0", char.ConvertFromUtf32(0x1FFFE), char.ConvertFromUtf32(0x10FFFF) })
        {
            Assert.Equal(other, CheckpointNames.Normalize(other, "checkpoint"));
            Assert.Equal(other, Key(other));
            Assert.Equal(other, FolderLayout.Unescape(FolderLayout.Escape(other)));
        }
        Assert.Equal("\u00e9\ufffe\u00e9", CheckpointNames.Normalize("e\u0301\ufffee\u0301", "checkpoint"));
    }

    [Fact]
    public void A_name_is_kept_in_normal_form_C()
    {
        Assert.Equal("caf\u00e9", CheckpointNames.Normalize("cafe\u0301", "checkpoint"));
        Assert.Equal("K\u00c5", CheckpointNames.Normalize("\u212a\u212b", "checkpoint"));
        Assert.Equal("\uac00", CheckpointNames.Normalize("\u1100\u1161", "checkpoint"));
        Assert.Equal("ﬁ", CheckpointNames.Normalize("ﬁ", "checkpoint"));
    }

    [Theory]
    [InlineData("Ingest", "iNGEST")]
    [InlineData("ÄÖÜ Éÿ", "äöü éŸ")]
    [InlineData("Caf\u00e9", "CAFE\u0301")]
    [InlineData("ΣΊΣΥΦΟΣ", "σίσυφος")]
    [InlineData("ЖУК", "жук")]
    [InlineData("K", "\u212a")]
    [InlineData("k", "\u212a")]
    [InlineData("å", "\u212b")]
    [InlineData("µ", "μ")]
    [InlineData("Ǆ", "ǆ")]
    [InlineData("𐐀", "𐐨")]
    // Composed in lower case alone.
    [InlineData("T\u0308", "t\u0308")]
    [InlineData("J\u030c", "\u01f0")]
    [InlineData("\u0399\u0308\u0301", "\u0390")]
    public void Names_that_differ_only_in_case_or_normal_form_are_the_same(string a, string b)
    {
        Assert.Equal(Key(a), Key(b));
        Assert.Equal(new StageId(a, a, a), new StageId(b, b, b));
        Assert.Equal(new StageId(a, a, a).GetHashCode(), new StageId(b, b, b).GetHashCode());
    }

    [Theory]
    [InlineData("a", "b")]
    [InlineData("a", "ä")]
    [InlineData("a", "a ")]
    [InlineData("ss", "ß")]
    [InlineData("SS", "ß")]
    [InlineData("ß", "ẞ")]
    [InlineData("i", "ı")]
    [InlineData("I", "ı")]
    [InlineData("i", "İ")]
    [InlineData("I", "İ")]
    [InlineData("i\u0307", "İ")]
    [InlineData("s", "ſ")]
    [InlineData("S", "ſ")]
    [InlineData("fi", "ﬁ")]
    [InlineData("a", "а")]
    [InlineData("1", "１")]
    [InlineData("か", "カ")]
    public void Names_that_differ_otherwise_are_not(string a, string b)
    {
        Assert.NotEqual(Key(a), Key(b));
        Assert.NotEqual(new StageId(a, null, "x"), new StageId(b, null, "x"));
        Assert.NotEqual(new StageId("x", a, "x"), new StageId("x", b, "x"));
        Assert.NotEqual(new StageId("x", null, a), new StageId("x", null, b));
    }

    [Theory]
    [InlineData("İ", "İ")]
    [InlineData("ı", "ı")]
    [InlineData("ſ", "ſ")]
    [InlineData("ß", "ß")]
    [InlineData("ẞ", "ẞ")]
    [InlineData("I", "i")]
    [InlineData("\u212a", "k")]
    [InlineData("ς", "σ")]
    [InlineData("ŉ", "ŉ")]
    public void The_keys_of_special_letters_are_fixed(string text, string key) => Assert.Equal(key, Key(text));

    [Theory]
    [InlineData("tr-TR")]
    [InlineData("az-Latn-AZ")]
    [InlineData("de-DE")]
    [InlineData("ar-SA")]
    [InlineData("lt-LT")]
    public void Keys_are_the_same_in_every_culture(string culture)
    {
        using var _ = new InCulture(culture);
        Assert.Equal("iıi̇ ii title", Key("Iıi̇ iI TITLE"));
        Assert.Equal("nightly/7", Key("NIGHTLY/7"));
    }

    [Fact]
    public void The_key_of_a_key_is_itself_and_is_in_normal_form()
    {
        var random = Seeds.New(output);
        for (var i = 0; i < 5000; i++)
        {
            var name = Seeds.Name(random);
            var key = CheckpointNames.Key(name);
            Assert.Equal(key, CheckpointNames.Key(key));
            if (name.Contains('\ufffe', StringComparison.Ordinal))
                continue;
            Assert.True(key.IsNormalized(NormalizationForm.FormC));
            Assert.Equal(key, CheckpointNames.Key(CheckpointNames.Normalize(name.Normalize(NormalizationForm.FormD), "checkpoint")));
        }
        foreach (var rune in Enumerable.Range(1, 0x10FFFF).Where(Rune.IsValid).Select(v => new Rune(v)).Where(r => !Rune.IsControl(r)))
        {
            // Alone, and where it may compose with what stands before and behind.
            foreach (var text in new[] { rune.ToString(), $"T{rune}\u0308", $"{rune}\u0301\u0345", $"\u1112{rune}" })
            {
                var key = Key(text);
                Assert.True(key == CheckpointNames.Key(key), $"U+{rune.Value:X4} in '{text}'");
            }
        }
    }

    [Fact]
    public void Stable_letters_do_not_change_between_versions_of_unicode()
    {
        // A list of its own: letters that were added or got a case after Unicode 3.0 would make two machines disagree.
        foreach (var changed in new[] { 0x17F, 0x180, 0x1E9E, 0x3A2, 0x3C2, 0x3F4, 0x3F7, 0x4C0, 0x4CF, 0x2C2F, 0xA7AE, 0x10D0, 0x1C90, 0xAB53, 0x1F600, 0x9FA6, 0x3095, 0x620 })
            Assert.False(CheckpointNames.IsStable(changed), $"U+{changed:X4}");
        foreach (var stable in "azAZ09äßÿŸžαωΑΩабЯאתءيぁゔァヺ一龥가힣")
            Assert.True(CheckpointNames.IsStable(stable), $"U+{(int)stable:X4}");
    }

    [Fact]
    public void The_message_says_which_name_of_what_is_wrong_and_what_is_right()
    {
        foreach (var what in new[] { "checkpoint", "pipeline", "run" })
        {
            var error = Assert.Throws<CheckpointException>(() => CheckpointNames.Normalize("a\tb", what));
            Assert.Equal(CheckpointErrorKind.InvalidName, error.Kind);
            Assert.Equal("a\tb", error.Target);
            Assert.Contains(what, error.Message, StringComparison.Ordinal);
            Assert.Contains("1 to 200", error.Message, StringComparison.Ordinal);
            Assert.Contains(@"a\u0009b", error.Message, StringComparison.Ordinal);
        }
        var longName = Assert.Throws<CheckpointException>(() => CheckpointNames.Normalize(new string('x', 100_000), "run"));
        Assert.True(longName.Message.Length < 400);
        Assert.Equal("pipeline", What(() => new StageId("", null, "x")));
        Assert.Equal("run", What(() => new StageId("x", "", "x")));
        Assert.Equal("checkpoint", What(() => new StageId("x", null, "")));
    }

    [Fact]
    public void A_stage_says_its_names()
    {
        var stage = new StageId("Nightly", "7", "Ingest");
        Assert.Equal("'Ingest' (pipeline 'Nightly', run '7')", stage.ToString());
        Assert.Equal("'Ingest' (pipeline 'Nightly')", new StageId("Nightly", null, "Ingest").ToString());
        Assert.NotEqual(stage, new StageId("Nightly", null, "Ingest"));
        Assert.NotEqual(new StageId("Nightly", null, "Ingest"), stage);
        Assert.False(stage.Equals(null));
        Assert.False(stage.Equals("Ingest"));
    }

    private static string Key(string text) => CheckpointNames.Key(CheckpointNames.Normalize(text, "checkpoint"));

    private static string What(Func<object> make)
    {
        var message = Assert.Throws<CheckpointException>(make).Message;
        return message[message.IndexOf("name of a ", StringComparison.Ordinal)..].Split(' ', ':')[3];
    }

    private static void AssertInvalid(string? text, string reason)
    {
        var error = Assert.Throws<CheckpointException>(() => CheckpointNames.Normalize(text, "checkpoint"));
        Assert.Equal(CheckpointErrorKind.InvalidName, error.Kind);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}
