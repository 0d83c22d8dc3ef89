namespace Checkpoint.Tests;

public sealed class StoreRegistryTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData(@"C:\data")]
    [InlineData("C:/data")]
    [InlineData("C://data")]
    [InlineData("c:")]
    [InlineData(@"\\server\share")]
    [InlineData("//server/share")]
    [InlineData("/data")]
    [InlineData("data")]
    [InlineData(".checkpoints")]
    [InlineData("Temp:/x")]
    [InlineData("a:b:c")]
    [InlineData("://x")]
    [InlineData("1a://x")]
    [InlineData("+a://x")]
    [InlineData("a b://x")]
    [InlineData("ä://x")]
    [InlineData("dir/file://x")]
    [InlineData("file:/x")]
    [InlineData("mailto:x")]
    [InlineData("")]
    public void A_path_is_a_path(string location) => Assert.False(StoreRegistry.IsUri(location));

    [Theory]
    [InlineData("file:///data")]
    [InlineData("FILE:///data")]
    [InlineData("postgres://host/db")]
    [InlineData("s3://bucket/prefix")]
    [InlineData("az+blob-2.0://x")]
    [InlineData("ab://")]
    public void A_scheme_and_two_slashes_are_a_uri(string location) => Assert.True(StoreRegistry.IsUri(location));

    [Fact]
    public void A_folder_path_is_a_folder_store_and_the_same_path_the_same_store()
    {
        var path = Path.Join(_temp.Path, "store");
        var store = Assert.IsType<FolderStore>(StoreRegistry.Get(path));
        Assert.Equal(path, store.Location);
        Assert.Same(store, StoreRegistry.Get(path));
        Assert.NotSame(store, StoreRegistry.Get(path + "2"));
        Assert.Equal(path, StoreRegistry.Get(path + Path.DirectorySeparatorChar).Location);
        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public void A_file_uri_is_the_folder_it_names()
    {
        var path = Path.Join(_temp.Path, "with blank äö%20");
        var uri = "file:///" + string.Join('/', path.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Select(Uri.EscapeDataString)).Replace("%3A", ":", StringComparison.Ordinal);
        Assert.Contains("with%20blank%20%C3%A4%C3%B6%2520", uri, StringComparison.Ordinal);
        Assert.Equal(path, StoreRegistry.Get(uri).Location);
        Assert.Equal(path, StoreRegistry.Get("FILE" + uri[4..]).Location);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(path, StoreRegistry.Get("file://localhost" + uri["file://".Length..]).Location);
    }

    [Fact]
    public void One_folder_is_one_store_however_its_path_is_written()
    {
        var path = Path.Join(_temp.Path, "store");
        var store = StoreRegistry.Get(path + Path.DirectorySeparatorChar);
        foreach (var location in new[] { path, Path.Join(_temp.Path, "x", "..", "store"), new Uri(path).AbsoluteUri })
        {
            Assert.Same(store, StoreRegistry.Get(location));
            Assert.Same(store, StoreRegistry.Get(location));
        }
    }

    [UnixFact]
    public void A_file_uri_with_a_drive_of_windows_is_an_error_and_no_folder_of_that_name()
    {
        foreach (var location in new[] { "file:///C:/data", "file:///c:/data/x" })
        {
            var error = Assert.Throws<CheckpointException>(() => StoreRegistry.Get(location));
            Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
            Assert.Contains("path of Windows", error.Message, StringComparison.Ordinal);
        }
    }

    [UnixFact]
    public void A_file_uri_of_another_machine_is_an_error_and_no_folder_of_that_name()
    {
        foreach (var location in new[] { "file://server/share", "file://tmp/x" })
        {
            var error = Assert.Throws<CheckpointException>(() => StoreRegistry.Get(location));
            Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
            Assert.Contains(location, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_file_uri_that_is_none_is_an_error()
    {
        foreach (var location in new[] { "file://", "file://a b/c d:e", "file://[" })
            Assert.Equal(CheckpointErrorKind.StoreUnavailable, Assert.Throws<CheckpointException>(() => StoreRegistry.Get(location)).Kind);
    }

    [Fact]
    public void A_file_uri_with_a_query_or_fragment_is_an_error()
    {
        foreach (var location in new[] { "file:///data/a#1", "file:///data/a?x" })
            Assert.Equal(CheckpointErrorKind.StoreUnavailable, Assert.Throws<CheckpointException>(() => StoreRegistry.Get(location)).Kind);
        Assert.EndsWith("a#1", StoreRegistry.Get("file:///data/a%231").Location, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mongodb://host/db", "mongodb://")]
    [InlineData("s3://bucket", "s3://")]
    [InlineData("FTP://x", "FTP://")]
    public void A_scheme_that_is_not_known_is_an_error_that_says_which_are(string location, string scheme)
    {
        var error = Assert.Throws<CheckpointException>(() => StoreRegistry.Get(location));
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, error.Kind);
        Assert.Equal(location, error.Target);
        foreach (var part in new[] { scheme, location, "folder paths", "file://" })
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loop_over_many_stores_keeps_few_of_them_and_finds_each()
    {
        for (var i = 0; i < 300; i++)
        {
            var path = Path.Join(_temp.Path, $"store {i}");
            Assert.Equal(path, StoreRegistry.Get(path).Location);
            Assert.Same(StoreRegistry.Get(path), StoreRegistry.Get(path));
        }
    }
}
