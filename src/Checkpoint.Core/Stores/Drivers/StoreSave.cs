namespace Checkpoint;

/// <summary>One save on its way into a store. Disposed of without a commit it leaves nothing behind, at once or, after a crash, as soon as it is surely dead.</summary>
public abstract class StoreSave : IAsyncDisposable
{
    /// <summary>Opens the payload for writing. Called at most once, and before the commit; the stream is closed before it too. Nobody sees it until then.</summary>
    /// <param name="name">A name for it, other than that of every payload before: 32 hex digits.</param>
    public abstract Stream OpenPayload(string name);

    /// <summary>Commits record and payload together: others see both or neither, from the moment on when this returns at the latest.</summary>
    /// <param name="commit">What is committed.</param>
    /// <param name="cancellation">Ends the wait for other writers. What is committed by then is told of all the same.</param>
    /// <returns>The step; null where it is there already and is not to be overwritten.</returns>
    /// <exception cref="StoreFaultException">It is not committed. Where an answer was lost the driver finds out whether it is before it throws, and never commits twice.</exception>
    public abstract ValueTask<long?> CommitAsync(StoreCommit commit, CancellationToken cancellation);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
