using System.Runtime.Versioning;

namespace Checkpoint.Tests;

/// <summary>A file system that cannot refuse a taken name in a rename, and on which an answer of the server may be lost.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class NfsTests : StoreTest
{
    [UnixFact]
    public async Task A_link_that_was_made_though_its_answer_says_taken_is_one_step_and_not_two()
    {
        Store = new FolderStore(Root, new Nfs(loseAnswers: true));
        await Save(TestState.Large(1));
        Assert.Equal(2, (await Save(TestState.Small("x"), 2)).Step);
        Assert.Equal(3, (await Save(TestState.Large(3))).Step);
        Assert.Equal([3L, 2, 1], await Steps());
        Assert.Empty(Names(FolderEntryKind.Temporary));
        Assert.Equal(2, Names(FolderEntryKind.Payload).Count);
        TestState.AssertEqual(TestState.Large(3), await Restore());
    }

    [UnixFact]
    public async Task A_name_that_another_file_has_is_taken()
    {
        await Save(TestState.Small("old"), 1);
        // The same content is not the same file.
        var twin = Path.Join(StageFolder, "twin");
        File.Copy(RecordPath(1), twin);
        foreach (var files in new[] { new Nfs(loseAnswers: false), new Nfs(loseAnswers: true) })
        {
            using var handle = files.OpenRead(twin)!;
            Assert.False(files.TryRenameNew(handle, twin, RecordPath(1)));
            Assert.True(File.Exists(twin));
        }
        TestState.AssertEqual(TestState.Small("old"), await Restore(1));
    }

    [UnixFact]
    public void A_file_is_known_by_any_of_its_names_and_no_other_is()
    {
        var path = Temp.Write("a", "x");
        var other = Temp.Write("b", "x");
        using (var process = System.Diagnostics.Process.Start("ln", [path, path + "2"]))
            process.WaitForExit();
        File.CreateSymbolicLink(path + "3", path);
        Assert.NotNull(UnixFileStatus.Of(path));
        Assert.Equal(UnixFileStatus.Of(path), UnixFileStatus.Of(path + "2"));
        Assert.NotEqual(UnixFileStatus.Of(path), UnixFileStatus.Of(path + "3"));
        Assert.NotEqual(UnixFileStatus.Of(path), UnixFileStatus.Of(other));
        Assert.Null(UnixFileStatus.Of(path + "4"));
    }

    private sealed class Nfs(bool loseAnswers) : UnixFileSystem
    {
        protected override int RenameNew(string from, string to) => EINVAL;

        protected override int LinkNew(string from, string to) => base.LinkNew(from, to) is var error && error == 0 && loseAnswers ? EEXIST : error;
    }
}
