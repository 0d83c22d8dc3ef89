namespace Checkpoint;

/// <summary>How many of the items of an input are what.</summary>
internal readonly record struct ItemCounts
{
    /// <summary>How many different ones came so far.</summary>
    public long Items { get; init; }

    /// <summary>Those that this call has done, and that are on disk as such.</summary>
    public long Done { get; init; }

    /// <summary>Those that were done before.</summary>
    public long Skipped { get; init; }

    /// <summary>Those that failed in this call.</summary>
    public long Failed { get; init; }

    /// <summary>Those that failed before and were left alone.</summary>
    public long FailedBefore { get; init; }

    /// <summary>How often an item came that had come before in the same input.</summary>
    public long Doubled { get; init; }

    /// <summary>Whether every item that came is done.</summary>
    public bool AreAllDone => Done + Skipped == Items;
}
