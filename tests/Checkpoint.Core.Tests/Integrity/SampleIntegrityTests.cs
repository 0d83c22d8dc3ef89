namespace Checkpoint.Tests;

public sealed class SampleVerifierTests : DriverVerifierTests
{
    private readonly TempFolder _temp = new();

    public override void Dispose()
    {
        base.Dispose();
        _temp.Dispose();
    }

    private protected override StoreDriver Open() => SampleStore.OpenDriver(_temp.Path);
}

public sealed class SampleRepairTests : DriverRepairTests
{
    private readonly TempFolder _temp = new();

    public override void Dispose()
    {
        base.Dispose();
        _temp.Dispose();
    }

    private protected override StoreDriver Open() => SampleStore.OpenDriver(_temp.Path);
}
