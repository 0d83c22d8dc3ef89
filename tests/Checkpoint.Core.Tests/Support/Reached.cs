namespace Checkpoint.Tests;

/// <summary>A point in the code under test that a test waits for.</summary>
internal sealed class Reached : IDisposable
{
    private readonly ManualResetEventSlim _event = new();

    public void Set() => _event.Set();

    /// <summary>Waits until the point is reached; it is a failure, and no waiting for ever, when the work ends without it.</summary>
    public void WaitDuring(Task work)
    {
        if (WaitHandle.WaitAny([_event.WaitHandle, ((IAsyncResult)work).AsyncWaitHandle]) == 1 && !_event.IsSet)
            Assert.Fail($"The work ended without it: {work.Exception?.InnerException?.Message ?? work.Status.ToString()}");
    }

    public void Dispose() => _event.Dispose();
}
