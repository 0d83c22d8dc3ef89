using System.Text;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

public sealed class FolderLayoutTests(ITestOutputHelper output)
{
    /// <summary>Names and the folders they have for ever: a store that was written once must be found by every version to come.</summary>
    public static TheoryData<string, string> FrozenFormat => new()
    {
        { "ingest", "ingest" },
        { "Ingest", "ingest" },
        { "a-b_c.d e9", "a-b_c.d e9" },
        { "stages", "stages" },
        { "runs", "runs" },
        { ".", "%2E" },
        { "..", "%2E%2E" },
        { "...", "%2E.%2E" },
        { "../../x", "%2E.%2F..%2Fx" },
        { ".checkpoints", "%2Echeckpoints" },
        { "a.", "a%2E" },
        { "a ", "a%20" },
        { " a", "%20a" },
        { " ", "%20" },
        { "a b", "a b" },
        { "a/b", "a%2Fb" },
        { "a\\b", "a%5Cb" },
        { "C:\\data", "c%3A%5Cdata" },
        { "*?\"<>|", "%2A%3F%22%3C%3E%7C" },
        { "%", "%25" },
        { "%41", "%2541" },
        { "~", "%7E" },
        { "~lock", "%7Elock" },
        { "PROGRA~1", "progra%7E1" },
        { "'$`!&;#@(){}[]+=,^", "%27%24%60%21%26%3B%23%40%28%29%7B%7D%5B%5D%2B%3D%2C%5E" },
        { "CON", "%63on" },
        { "con.txt", "%63on.txt" },
        { "con .x", "%63on .x" },
        { "con ", "%63on%20" },
        { "Nul", "%6Eul" },
        { "prn.a.b", "%70rn.a.b" },
        { "aux", "%61ux" },
        { "com1", "%63om1" },
        { "com0", "%63om0" },
        { "LPT9.log", "%6Cpt9.log" },
        { "com¹", "%63om%C2%B9" },
        { "lpt³.x", "%6Cpt%C2%B3.x" },
        { "CONIN$", "%63onin%24" },
        { "conout$", "%63onout%24" },
        { "console", "console" },
        { "con-1", "con-1" },
        { "com", "com" },
        { "com10", "com10" },
        { "acon", "acon" },
        { "é", "é" },
        { "CAFE\u0301", "café" },
        { "ÄÖÜ", "äöü" },
        { "ß", "%C3%9F" },
        { "ẞ", "%E1%BA%9E" },
        { "ı", "%C4%B1" },
        { "İ", "%C4%B0" },
        { "ſ", "%C5%BF" },
        { "ŉ", "%C5%89" },
        { "ÿ", "ÿ" },
        { "µ", "μ" },
        { "º", "%C2%BA" },
        { "Σς", "σσ" },
        { "ЖУК", "жук" },
        { "ё", "ё" },
        { "שלום", "שלום" },
        { "سلام", "سلام" },
        { "日本語", "日本語" },
        { "カナ", "カナ" },
        { "한글", "한글" },
        { "😀", "%F0%9F%98%80" },
        { "\u00a0", "%C2%A0" },
        { "\u200b", "%E2%80%8B" },
        { "№7", "%E2%84%967" },
        { "K", "k" },
        { "\u212a", "k" },
        { "１", "%EF%BC%91" },
        { new string('a', 100), new string('a', 100) },
        { new string('a', 101), new string('a', 67) + "~9d0793397991b57a99a07c6e6b4a92ba" },
    };

    [Theory]
    [MemberData(nameof(FrozenFormat))]
    public void The_folder_of_a_name_never_changes(string name, string folder)
    {
        Assert.Equal(folder, Escape(name));
        var key = CheckpointNames.Key(CheckpointNames.Normalize(name, "checkpoint"));
        Assert.Equal(folder.Contains('~', StringComparison.Ordinal) ? null : key, FolderLayout.Unescape(folder));
        Assert.Equal(folder.Contains('~', StringComparison.Ordinal), FolderLayout.IsCut(folder));
    }

    [Fact]
    public void A_name_that_is_too_long_is_cut_at_a_whole_character_and_ends_in_a_hash()
    {
        foreach (var name in new[] { new string('x', 200), string.Concat(Enumerable.Repeat("😀", 200)), string.Concat(Enumerable.Repeat("日", 200)), "ab" + string.Concat(Enumerable.Repeat("é", 120)), new string('/', 40) })
        {
            var folder = Escape(name);
            var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(CheckpointNames.Key(name))))[..32];
            Assert.EndsWith("~" + hash, folder, StringComparison.Ordinal);
            Assert.True(Encoding.UTF8.GetByteCount(folder) <= FolderLayout.MaxSegmentBytes);
            Assert.True(FolderLayout.IsCut(folder));
            Assert.Null(FolderLayout.Unescape(folder));
            // What stands before the hash is the beginning of the name.
            var beginning = FolderLayout.Unescape(folder[..^33]);
            Assert.NotNull(beginning);
            Assert.StartsWith(beginning, CheckpointNames.Key(name), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Names_that_are_the_same_have_one_folder_and_others_never_collide()
    {
        var random = Seeds.New(output);
        var keyOf = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < 5000; i++)
        {
            var name = Seeds.Name(random);
            var key = CheckpointNames.Key(name);
            var folder = FolderLayout.Escape(name);
            Assert.Equal(folder, FolderLayout.Escape(key));
            Assert.True(keyOf.TryAdd(folder, key) || keyOf[folder] == key, $"'{key}' and '{keyOf[folder]}' share the folder '{folder}'");
            AssertFit(folder);
            Assert.Equal(folder.Contains('~', StringComparison.Ordinal) ? null : key, FolderLayout.Unescape(folder));
        }
        // Long names that differ only in their last letter, and in one of the middle.
        var longNames = Enumerable.Range(0, 1000).Select(i => new string('x', 180) + $"{i:D4}").Concat(Enumerable.Range(0, 1000).Select(i => new string('x', 100) + $"{i:D4}" + new string('y', 80)));
        Assert.Equal(2000, longNames.Select(FolderLayout.Escape).Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    [Fact]
    public void Every_character_alone_doubled_and_at_an_edge_is_a_folder_of_its_own()
    {
        var folders = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var rune in Enumerable.Range(0x20, 0x3200).Where(Rune.IsValid).Select(v => new Rune(v)).Where(r => !Rune.IsControl(r)))
        {
            foreach (var text in new[] { $"{rune}", $"{rune}{rune}", $"a{rune}", $"{rune}a", $"a{rune}a" })
            {
                var key = CheckpointNames.Key(CheckpointNames.Normalize(text, "checkpoint"));
                var folder = Escape(text);
                AssertFit(folder);
                Assert.Equal(key, FolderLayout.Unescape(folder));
                Assert.True(folders.TryAdd(folder, key) || folders[folder] == key, $"'{key}' and '{folders[folder]}' share the folder '{folder}'");
            }
        }
    }

    [Theory]
    [InlineData("Ingest")]
    [InlineData("%41")]
    [InlineData("%2e")]
    [InlineData("%2")]
    [InlineData("%")]
    [InlineData("%zz")]
    [InlineData("%C3")]
    [InlineData("%FF")]
    [InlineData("%00")]
    [InlineData("%0A")]
    [InlineData("con")]
    [InlineData("a.")]
    [InlineData(" a")]
    [InlineData(".git")]
    [InlineData("ß")]
    [InlineData("😀")]
    [InlineData("a~b")]
    [InlineData("~")]
    [InlineData("~0123456789abcdef0123456789abcdef")]
    [InlineData("a+b")]
    public void A_folder_that_no_name_has_is_not_ours(string folder) => Assert.Null(FolderLayout.Unescape(folder));

    [Fact]
    public void A_folder_that_is_too_long_is_not_ours()
    {
        Assert.Null(FolderLayout.Unescape(new string('a', 101)));
        Assert.Null(FolderLayout.Unescape(new string('a', 250)));
        Assert.Null(FolderLayout.Unescape("cafe\u0301"));
    }

    [Theory]
    [InlineData("x~0123456789abcdef0123456789abcdef", true)]
    [InlineData("~0123456789abcdef0123456789abcdef", false)]
    [InlineData("x~0123456789ABCDEF0123456789abcdef", false)]
    [InlineData("x~0123456789abcdef0123456789abcde", false)]
    [InlineData("x~y~0123456789abcdef0123456789abcdef", false)]
    [InlineData("ingest", false)]
    public void A_cut_name_is_known_by_its_tail(string folder, bool isCut) => Assert.Equal(isCut, FolderLayout.IsCut(folder));

    [Fact]
    public void The_path_of_a_stage_lies_below_its_store()
    {
        var store = Path.Join(Path.GetTempPath(), "store");
        Assert.Equal(Path.Join(store, "nightly", "stages", "ingest"), FolderLayout.StagePath(store, new StageId("Nightly", null, "Ingest")));
        Assert.Equal(Path.Join(store, "nightly", "runs", "7", "stages", "ingest"), FolderLayout.StagePath(store, new StageId("Nightly", "7", "Ingest")));
        var random = Seeds.New(output);
        for (var i = 0; i < 500; i++)
        {
            var path = FolderLayout.StagePath(store, new StageId(Seeds.Name(random), random.Next(2) == 0 ? null : Seeds.Name(random), Seeds.Name(random)));
            Assert.Equal(path, Path.GetFullPath(path));
            Assert.StartsWith(store + Path.DirectorySeparatorChar, path, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0, "0000000000.json")]
    [InlineData(1, "0000000001.json")]
    [InlineData(9_999_999_999, "9999999999.json")]
    [InlineData(10_000_000_000, "10000000000.json")]
    [InlineData(long.MaxValue, "9223372036854775807.json")]
    public void A_record_is_named_after_its_step(long step, string name)
    {
        Assert.Equal(name, FolderLayout.RecordName(step));
        Assert.Equal(new FolderEntry(FolderEntryKind.Record, step), FolderLayout.Classify(name));
        Assert.Equal(new FolderEntry(FolderEntryKind.Payload, step), FolderLayout.Classify(FolderLayout.NewPayloadName(step)));
    }

    [Fact]
    public void Names_of_files_are_the_same_in_every_culture_and_never_twice_the_same()
    {
        using var _ = new InCulture("ar-SA");
        Assert.Equal("0000000042.json", FolderLayout.RecordName(42));
        Assert.Matches("^0000000042\\.[0-9a-f]{32}\\.state$", FolderLayout.NewPayloadName(42));
        Assert.Matches("^~[0-9a-f]{32}\\.tmp$", FolderLayout.NewTemporaryName());
        Assert.NotEqual(FolderLayout.NewPayloadName(42), FolderLayout.NewPayloadName(42));
        Assert.NotEqual(FolderLayout.NewTemporaryName(), FolderLayout.NewTemporaryName());
    }

    [Theory]
    [InlineData("~0123456789abcdef0123456789abcdef.tmp", "Temporary", -1)]
    [InlineData("0000000003.0123456789abcdef0123456789abcdef.state", "Payload", 3)]
    [InlineData("12345678901.0123456789abcdef0123456789abcdef.state", "Payload", 12345678901)]
    [InlineData("0000000003.json", "Record", 3)]
    [InlineData("", "Foreign", 0)]
    [InlineData("~", "Foreign", 0)]
    [InlineData("~lock", "Foreign", 0)]
    [InlineData("~.tmp", "Foreign", 0)]
    [InlineData("~0123456789abcdef0123456789abcde.tmp", "Foreign", 0)]
    [InlineData("~0123456789ABCDEF0123456789abcdef.tmp", "Foreign", 0)]
    [InlineData("~0123456789abcdef0123456789abcdef.tmp.bak", "Foreign", 0)]
    [InlineData("~0123456789abcdef0123456789abcdef", "Foreign", 0)]
    [InlineData(".json", "Foreign", 0)]
    [InlineData("1.json", "Foreign", 0)]
    [InlineData("000000003.json", "Foreign", 0)]
    [InlineData("00000000003.json", "Foreign", 0)]
    [InlineData("0000000003.JSON", "Foreign", 0)]
    [InlineData("0000000003.json ", "Foreign", 0)]
    [InlineData("0000000003.json.tmp", "Foreign", 0)]
    [InlineData("0000000003", "Foreign", 0)]
    [InlineData("-000000003.json", "Foreign", 0)]
    [InlineData("+000000003.json", "Foreign", 0)]
    [InlineData(" 000000003.json", "Foreign", 0)]
    [InlineData("٠٠٠٠٠٠٠٠٠٣.json", "Foreign", 0)]
    [InlineData("9223372036854775808.json", "Foreign", 0)]
    [InlineData("99999999999999999999999.json", "Foreign", 0)]
    [InlineData("0000000003.state", "Foreign", 0)]
    [InlineData("0000000003..state", "Foreign", 0)]
    [InlineData("0000000003.0123456789abcdef0123456789abcde.state", "Foreign", 0)]
    [InlineData("0000000003.0123456789ABCDEF0123456789abcdef.state", "Foreign", 0)]
    [InlineData("0000000003.0123456789abcdef0123456789abcdef.STATE", "Foreign", 0)]
    [InlineData("0000000003.0123456789abcdef0123456789abcdef0.state", "Foreign", 0)]
    [InlineData("x0000000003.json", "Foreign", 0)]
    public void A_file_is_ours_only_by_exactly_such_a_name_as_is_written(string name, string kind, long step)
    {
        var entry = FolderLayout.Classify(name);
        Assert.Equal(Enum.Parse<FolderEntryKind>(kind), entry.Kind);
        if (entry.Kind != FolderEntryKind.Foreign)
            Assert.Equal(step, entry.Step);
    }

    [Fact]
    public void No_folder_of_a_name_looks_like_a_file_of_ours()
    {
        var random = Seeds.New(output);
        for (var i = 0; i < 2000; i++)
        {
            var folder = FolderLayout.Escape(Seeds.Name(random));
            Assert.False(folder.StartsWith('~'), folder);
            Assert.NotEqual(FolderLayout.LockName, folder);
            Assert.NotEqual(FolderEntryKind.Temporary, FolderLayout.Classify(folder).Kind);
        }
    }

    private static string Escape(string name) => FolderLayout.Escape(CheckpointNames.Normalize(name, "checkpoint"));

    /// <summary>Every file system takes it: short, no reserved sign, name or end.</summary>
    private static void AssertFit(string folder)
    {
        Assert.InRange(Encoding.UTF8.GetByteCount(folder), 1, 100);
        Assert.DoesNotContain(folder, c => c < ' ' || "/\\:*?\"<>|".Contains(c, StringComparison.Ordinal));
        Assert.DoesNotContain(folder[^1], ". ");
        Assert.DoesNotContain(folder[0], ". ");
        Assert.True(folder.IsNormalized(NormalizationForm.FormC));
        Assert.DoesNotContain(folder.Split('.', ' ')[0].ToUpperInvariant(), new[] { "CON", "PRN", "AUX", "NUL", "COM0", "COM1", "COM9", "COM¹", "COM²", "COM³", "LPT0", "LPT1", "LPT9", "LPT¹", "CONIN$", "CONOUT$" });
    }
}
