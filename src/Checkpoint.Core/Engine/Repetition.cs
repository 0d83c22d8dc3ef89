namespace Checkpoint;

/// <summary>Begins anew what a broken connection ended before anything of it was saved: a large state, which a store cannot ask for again.</summary>
internal static class Repetition
{
    // Each waits by itself until the store can be reached again. Who is cut off so often is so by more than a failover.
    private const int Most = 3;

    /// <summary>Saves something, again where it must.</summary>
    /// <param name="state">What is saved.</param>
    /// <param name="save">Saves it.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async ValueTask<T> RunAsync<T>(IStateSource? state, Func<CancellationToken, ValueTask<T>> save, CancellationToken cancellation)
    {
        for (var repeats = 0; ; repeats++)
        {
            try
            {
                return await save(cancellation);
            }
            catch (CheckpointException e) when (e.MayRepeat && repeats < Most && state is { CanRepeat: true })
            {
                cancellation.ThrowIfCancellationRequested();
            }
        }
    }
}
