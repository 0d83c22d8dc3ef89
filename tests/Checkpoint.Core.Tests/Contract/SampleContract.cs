namespace Checkpoint.Tests;

/// <summary>Stores of the sample driver, found and loaded as anybody's driver is.</summary>
internal static class SampleStore
{
    static SampleStore()
    {
        // out/bin/<project>/<configuration>
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        StoreDrivers.Register("sqlite", Path.GetFullPath(Path.Join(AppContext.BaseDirectory, "..", "..", "Checkpoint.Stores.Sample", configuration, "Checkpoint.Stores.Sample.dll")));
    }

    public static StoreDriver OpenDriver(string folder) => StoreDrivers.Open("sqlite", $"sqlite://{folder}/store.db")!;

    public static CheckpointStore Open(string folder, TimeProvider? time = null) => new DriverStore(OpenDriver(folder), time);
}

public sealed class SampleCheckpointContract : CheckpointContract
{
    private protected override CheckpointStore Open() => SampleStore.Open(Temp.Path);
}

public sealed class SampleLeaseContract : LeaseContract
{
    private protected override CheckpointStore Open(TimeProvider time) => SampleStore.Open(Temp.Path, time);
}

public sealed class SampleItemContract : ItemContract
{
    private protected override CheckpointStore Open() => SampleStore.Open(Temp.Path);
}

public sealed class SampleDriverTests : StoreDriverTests, IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    private protected override StoreDriver Open() => SampleStore.OpenDriver(_temp.Path);
}
