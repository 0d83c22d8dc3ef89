namespace Checkpoint;

/// <summary>An open folder.</summary>
internal abstract class DirectoryHandle : IDisposable
{
    /// <summary>
    /// Tries to become the one writer in this folder, among processes and within this one, until the handle is closed or the process ends. A courtesy
    /// between writers that spares them collisions: that none loses a step is owed to <see cref="FileSystem.TryRenameNew"/>, also where a file system has no locks.
    /// </summary>
    public abstract LockResult TryLock();

    /// <summary>Waits to become the one writer in this folder.</summary>
    /// <returns><see cref="LockResult.Busy"/> where that took longer than <paramref name="patience"/>.</returns>
    public abstract ValueTask<LockResult> LockAsync(TimeSpan patience, CancellationToken cancellation);

    /// <summary>Has the folder's entries on the medium when it returns.</summary>
    public abstract void Flush();

    public abstract void Dispose();
}
