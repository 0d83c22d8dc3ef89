namespace Checkpoint;

/// <summary>Makes the errors of a driver those of Checkpoint.</summary>
/// <param name="location">The store.</param>
internal sealed class DriverFaults(string location)
{
    /// <summary>What an exception means where something was being done; null where it is none of a driver's.</summary>
    /// <param name="error">The exception.</param>
    /// <param name="doing">What was done, for the message.</param>
    /// <param name="target">What it was done to.</param>
    public CheckpointException? Translate(Exception error, string doing, object target) => error switch
    {
        StoreFaultException fault => CheckpointErrors.FromDriver(fault, location, doing, target),
        IOException or UnauthorizedAccessException or TimeoutException => CheckpointErrors.FromDriver(new StoreFaultException(StoreFault.Unavailable, error.Message, error), location, doing, target),
        _ => null,
    };

    /// <param name="doing">What is done, for the message.</param>
    /// <param name="target">What it is done to.</param>
    /// <param name="work">Does it.</param>
    public T Guard<T>(string doing, object target, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (Translate(e, doing, target) is { } error)
        {
            throw error;
        }
    }

    /// <summary>The same for each item of a sequence.</summary>
    public IEnumerable<T> Guard<T>(string doing, object target, IEnumerable<T> items)
    {
        using var enumerator = items.GetEnumerator();
        while (Guard(doing, target, enumerator.MoveNext))
            yield return enumerator.Current;
    }
}
