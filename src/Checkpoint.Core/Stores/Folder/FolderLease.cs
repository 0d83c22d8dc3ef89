using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>
/// A lock of the operating system on a file. It is lost where the file was removed, or another took its place: after the time was over, or as a share does that forgot the lock and gave it away.
/// </summary>
/// <param name="leases">The leases of the store.</param>
/// <param name="file">The file.</param>
/// <param name="path">Its path.</param>
/// <param name="record">What this holder wrote into it.</param>
/// <param name="renewal">Renews it; null where it lasts for as long as the process lives.</param>
internal sealed class FolderLease(FolderLeases leases, SafeFileHandle file, string path, byte[] record, LeaseRenewal? renewal) : Lease
{
    public override CancellationToken Lost => renewal?.Lost ?? CancellationToken.None;

    public override DateTimeOffset? ExpiresAt => renewal?.ExpiresAt;

    public override ValueTask<string?> WhyLostAsync(CancellationToken cancellation) => new(renewal?.WhyLost ?? leases.Look(path, record));

    public override void Dispose()
    {
        renewal?.Dispose();
        file.Dispose();
    }
}
