using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>A lock of the operating system. It is lost where its file was removed or replaced, or where a share forgot it and gave it to another, who wrote a name of their own into the file.</summary>
internal sealed class FolderLease(FolderLeases leases, SafeFileHandle file, string path, byte[] holder) : Lease
{
    public override ValueTask<string?> WhyLostAsync(CancellationToken cancellation) => new(leases.WhyLost(path, holder));

    public override void Dispose() => file.Dispose();
}
