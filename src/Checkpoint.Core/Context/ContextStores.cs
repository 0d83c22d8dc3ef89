namespace Checkpoint;

/// <summary>Opens the store that a context means, with its replica where it has one.</summary>
internal static class ContextStores
{
    /// <param name="context">What is meant.</param>
    /// <param name="warn">Told, on any thread, what a person should know.</param>
    /// <param name="onReplica">Called before anything can go behind the work: at the end of the process <see cref="ReplicaQueue.FinishAll"/> is to be called.</param>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.StoreUnavailable"/></exception>
    public static CheckpointStore Open(ContextResolver context, Action<string> warn, Action onReplica)
    {
        var store = StoreRegistry.Get(context.Store.Value);
        if (context.Replica.Value is not { } location || StoreRegistry.Get(location) is var replica && replica.Location == store.Location)
            return store;
        onReplica();
        var queue = ReplicaQueue.Of(store, replica);
        if (queue.TakeNews() is { } news)
            warn(news);
        return new ReplicatedStore(store, replica, context.ReplicaMode.Value, queue, TimeProvider.System, warn);
    }
}
