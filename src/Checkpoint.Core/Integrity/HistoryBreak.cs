namespace Checkpoint;

/// <summary>Where the chain of a history breaks.</summary>
/// <param name="Line">The line of the file, from 1.</param>
/// <param name="Message">What is wrong with it.</param>
/// <param name="IsLoss">Whether a loss of power can have done it.</param>
internal sealed record HistoryBreak(long Line, string Message, bool IsLoss)
{
    /// <summary>When a repair wrote into the history that this is known, or null.</summary>
    public DateTimeOffset? KnownSince { get; init; }
}
