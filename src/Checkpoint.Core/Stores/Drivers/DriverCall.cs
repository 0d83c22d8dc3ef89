using System.Runtime.CompilerServices;

namespace Checkpoint;

/// <summary>Calls a driver and waits for it on this thread, whatever the driver is made of: what follows may call back into the caller's code, which belongs to that thread.</summary>
internal static class DriverCall
{
    // Of each thread its own: it has nothing that must be given back.
    [ThreadStatic]
    private static ManualResetEventSlim? _done;

    public static T Wait<T>(Func<ValueTask<T>> call) => Outside(() =>
    {
        var work = call();
        if (!work.IsCompleted)
            Sleep(work.GetAwaiter());
        return work.GetAwaiter().GetResult();
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

    // A task that is waited for looks again and again at first whether it is done. A server takes longer than that, and the looking costs more than all else that a save has this process do.
    private static void Sleep<T>(ValueTaskAwaiter<T> work)
    {
        var done = _done ??= new ManualResetEventSlim(false, spinCount: 0);
        done.Reset();
        work.UnsafeOnCompleted(done.Set);
        done.Wait();
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
