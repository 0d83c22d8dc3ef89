namespace Checkpoint.Tests;

public sealed class FolderCheckpointContract : CheckpointContract
{
    private protected override CheckpointStore Open() => new FolderStore(Path.Join(Temp.Path, "store"));
}

public sealed class FolderLeaseContract : LeaseContract
{
    private protected override CheckpointStore Open(TimeProvider time) => new FolderStore(Path.Join(Temp.Path, "store"), null, time);
}

public sealed class FolderItemContract : ItemContract
{
    private protected override CheckpointStore Open() => new FolderStore(Path.Join(Temp.Path, "store"));
}
