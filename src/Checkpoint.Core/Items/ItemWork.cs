namespace Checkpoint;

/// <summary>How the items of a stage are to be done.</summary>
internal sealed record ItemWork
{
    public required StageId Stage { get; init; }

    /// <summary>Whether others work on the same items, each on some.</summary>
    public bool IsShared { get; init; }

    /// <summary>Whether a failure leaves the other items alone.</summary>
    public bool ContinueOnError { get; init; }

    /// <summary>How many may fail before no more are begun, or null for any number. With a number, fewer stop nothing.</summary>
    public int? MaxError { get; init; }

    /// <summary>Whether what failed before is run again.</summary>
    public bool RetryFailed { get; init; }

    public RetryPolicy Retry { get; init; } = RetryPolicy.None;

    public RetentionPolicy Retention { get; init; } = new();

    /// <summary>The exception that is told of and judged, without what is wrapped around it.</summary>
    public Func<Exception, Exception> CauseOf { get; init; } = error => error;

    /// <summary>Whether failures are written to the journal. The one that stops the work is not: the next call tries it again, as it goes on with all that is left.</summary>
    public bool KeepsFailures => ContinueOnError || MaxError is not null;
}
