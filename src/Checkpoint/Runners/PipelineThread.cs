using System.Collections.Concurrent;

namespace Checkpoint;

/// <summary>
/// Runs work of Core on the pipeline's thread from its start to its end, whatever it has to wait for: script blocks may be called, and streams be written, on
/// that thread alone.
/// </summary>
internal sealed class PipelineThread : SynchronizationContext
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _queue = [];

    /// <summary>Runs work and waits for it. What it awaits is gone on with on this thread.</summary>
    public static T Run<T>(Func<ValueTask<T>> work)
    {
        var before = Current;
        // Never disposed of: what the work leaves behind may still post to it.
        var thread = new PipelineThread();
        SetSynchronizationContext(thread);
        try
        {
            var task = work().AsTask();
            task.ContinueWith(static (_, state) => ((PipelineThread)state!)._queue.CompleteAdding(), thread, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            foreach (var (callback, state) in thread._queue.GetConsumingEnumerable())
                callback(state);
            return task.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    /// <summary>Calls code of the user under the context that it would have without us: what it waits for must not need this thread.</summary>
    public static T Outside<T>(Func<T> work)
    {
        var inside = Current;
        SetSynchronizationContext(null);
        try
        {
            return work();
        }
        finally
        {
            SetSynchronizationContext(inside);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        try
        {
            _queue.Add((d, state));
        }
        catch (InvalidOperationException)
        {
            // The work is over; what it left behind goes on elsewhere.
            base.Post(d, state);
        }
    }
}
