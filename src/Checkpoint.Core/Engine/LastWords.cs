namespace Checkpoint;

/// <summary>What is to be written down also where the work was stopped. Whoever stops it waits a moment for that, and no longer: a server may not answer at all.</summary>
internal static class LastWords
{
    /// <summary>How long. Ctrl+C is promised to have its effect within a second; and a stage, its run and their leases may each have something left to say.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(150);

    /// <summary>Says something, in full unless the work is stopped.</summary>
    /// <param name="say">Says it.</param>
    /// <param name="stopped">Cancelled when the work is stopped.</param>
    public static async ValueTask SayAsync(Func<CancellationToken, ValueTask> say, CancellationToken stopped)
    {
        using var end = new CancellationTokenSource();
        using var registration = End(end, stopped);
        try
        {
            await say(end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // It stays unsaid.
        }
    }

    /// <summary>Has something end a moment after the work is stopped.</summary>
    public static CancellationTokenRegistration End(CancellationTokenSource end, CancellationToken stopped) =>
        stopped.UnsafeRegister(static source => ((CancellationTokenSource)source!).CancelAfter(Patience), end);
}
