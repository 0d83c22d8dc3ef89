using System.Globalization;

namespace Checkpoint;

/// <summary>Where the chain of a history breaks.</summary>
/// <param name="Line">The line of the history, from 1.</param>
/// <param name="Message">What is wrong with it.</param>
/// <param name="IsLoss">Whether a loss of power can have done it.</param>
internal sealed record HistoryBreak(long Line, string Message, bool IsLoss)
{
    /// <summary>When a repair wrote into the history that this is known, or null.</summary>
    public DateTimeOffset? KnownSince { get; init; }

    public FindingSeverity Severity => KnownSince is not null || IsLoss ? FindingSeverity.Warning : FindingSeverity.Error;

    /// <summary>What is wrong, and what is known of it.</summary>
    public string Text => Message
        + (KnownSince is { } since ? string.Create(CultureInfo.InvariantCulture, $". It is known since a repair of {since:yyyy-MM-dd HH:mm:ss}Z.")
        : IsLoss ? ". A loss of power can take the newest lines, and so can whoever removes them." : ".");
}
