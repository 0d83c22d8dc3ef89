namespace Checkpoint.Tests;

/// <summary>Fingerprints that are given as texts and paths; tests/Cli.Tests.ps1 shows that they are those of the like PowerShell objects.</summary>
public sealed class TextFingerprintTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Named_texts_are_a_table_whose_order_does_not_count()
    {
        var parts = Parts(["b=2", "a=1=1"]);
        Assert.Equal(["a", "b"], parts.Keys.Order());
        Assert.Equal(FingerprintHash.Value("1=1"), parts["a"]);
        Assert.Equal(FingerprintHash.Combine(parts), FingerprintHash.Combine(Parts(["a=1=1", "b=2"])));
        Assert.NotEqual(FingerprintHash.Combine(parts), FingerprintHash.Combine(Parts(["a=1", "b=2"])));
    }

    [Fact]
    public void A_text_alone_is_no_table_and_several_are_a_list()
    {
        Assert.Equal(["value"], Parts(["x"]).Keys);
        Assert.Equal(["[0].value", "[1].value"], Parts(["x", "y"]).Keys);
        Assert.NotEqual(FingerprintHash.Combine(Parts(["x", "y"])), FingerprintHash.Combine(Parts(["y", "x"])));
    }

    [Fact]
    public void Files_and_folders_count_by_their_content()
    {
        var (file, folder) = (Write("a.txt", "one"), Path.Join(_folder.Path, "d"));
        Directory.CreateDirectory(folder);
        Write("d/b", "b");
        Assert.Equal(["a.txt"], Parts([], [file]).Keys);
        Assert.Equal(["[0].a.txt", "[1].value"], Parts([], [file, folder]).Keys);
        Assert.Equal(["d", "f", "t"], Parts(["t=1"], [$"f={file}", $"d={folder}"]).Keys.Order());
        Assert.Contains(file, Parts(["t=1"], [file]).Keys);

        var before = FingerprintHash.Combine(Parts([], [file, folder]));
        Write("d/b", "c");
        Assert.NotEqual(before, FingerprintHash.Combine(Parts([], [file, folder])));
        // A file whose name has the sign in it is that file.
        Assert.Equal(["x=y"], Parts([], [Write("x=y", "z")]).Keys);
    }

    [Fact]
    public void What_cannot_be_meant_is_refused()
    {
        Assert.Throws<InvalidArgumentException>(() => Parts(["a=1", "x"]));
        Assert.Throws<InvalidArgumentException>(() => Parts(["a=1", "A=2"]));
        Assert.Throws<InvalidArgumentException>(() => Parts(["x"], [$"f={Write("a", "")}"]));
        Assert.Throws<UnreadableFileException>(() => Parts([], [Path.Join(_folder.Path, "none")]));
    }

    private static Dictionary<string, byte[]> Parts(string[] texts, string[]? files = null) => TextFingerprint.PartsOf(texts, files ?? [], path => path, default);

    private string Write(string name, string text)
    {
        var path = Path.Join(_folder.Path, name);
        File.WriteAllText(path, text);
        return path;
    }
}
