namespace Checkpoint;

/// <summary>Calls a driver and waits for it on this thread, whatever the driver is made of: what follows may call back into the caller's code, which belongs to that thread.</summary>
internal static class DriverCall
{
    public static T Wait<T>(Func<ValueTask<T>> call) => Outside(() =>
    {
        var work = call();
        return work.IsCompletedSuccessfully ? work.Result : work.AsTask().GetAwaiter().GetResult();
    });

    public static void Wait(Func<ValueTask> call) => Wait(async () =>
    {
        await call().ConfigureAwait(false);
        return true;
    });

    /// <summary>The items of a driver's sequence, one by one.</summary>
    public static IEnumerable<T> Items<T>(Func<IAsyncEnumerable<T>> call)
    {
        var items = Outside(() => call().GetAsyncEnumerator());
        try
        {
            while (Wait(items.MoveNextAsync))
                yield return items.Current;
        }
        finally
        {
            Wait(items.DisposeAsync);
        }
    }

    // Whatever a driver awaits must not need this thread, which waits.
    private static T Outside<T>(Func<T> call)
    {
        var context = SynchronizationContext.Current;
        if (context is null)
            return call();
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return call();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }
}
