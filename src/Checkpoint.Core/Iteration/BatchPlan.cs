namespace Checkpoint;

/// <summary>How data is cut into batches.</summary>
internal sealed record BatchPlan
{
    /// <summary>How many elements the data has; from 0 up.</summary>
    public required int Count { get; init; }

    /// <summary>How many elements a batch has, from 1 up; the last batch of an epoch may have fewer.</summary>
    public required int BatchSize { get; init; }

    /// <summary>How often the data is gone through; from 1 up.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Whether each epoch has a random order of its own. By default the order is that of the data.</summary>
    public bool Shuffle { get; init; }

    /// <summary>Whether a last batch of fewer elements is left out.</summary>
    public bool DropLast { get; init; }

    /// <summary>The elements that an epoch hands out.</summary>
    public int EpochLength => DropLast ? Count - Count % BatchSize : Count;

    public int BatchesPerEpoch => (int)(((long)EpochLength + BatchSize - 1) / BatchSize);
}
