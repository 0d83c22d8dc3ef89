using System.Runtime.Versioning;

namespace Checkpoint.Tests;

public sealed class FolderStoreRightsTests : StoreTest
{
    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public async Task Files_and_folders_are_for_their_owner_alone()
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2), 1, overwrite: true);
        Assert.All(Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories), f =>
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        Assert.All(Directory.EnumerateDirectories(Root, "*", SearchOption.AllDirectories).Append(Root), f =>
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(f)));
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_file_being_written_is_for_its_owner_alone_too()
    {
        var modes = new List<UnixFileMode>();
        var files = new TestFileSystem();
        files.Before = o =>
        {
            if (o.Verb is FileVerb.Write)
                modes.Add(File.GetUnixFileMode(o.Path));
        };
        Store = new FolderStore(Root, files);
        await Save(TestState.Large(1));
        Assert.NotEmpty(modes);
        Assert.All(modes, m => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, m));
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public async Task The_rights_of_a_folder_that_was_there_are_left_as_they_are()
    {
        const UnixFileMode Shared = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;
        Directory.CreateDirectory(Root);
        File.SetUnixFileMode(Root, Shared);
        await Save();
        Assert.Equal(Shared, File.GetUnixFileMode(Root));
    }
}
