namespace Checkpoint;

/// <summary>Goes through batches, epoch by epoch. It deals in places of elements; whose they are does not matter to it.</summary>
internal sealed class BatchCursor
{
    private Xoshiro256StarStar _random;
    private int[]? _indices;
    private int _start;

    public BatchCursor(BatchPlan plan, long seed)
    {
        Plan = plan;
        Seed = seed;
        _random = NewRandom();
    }

    public BatchPlan Plan { get; }

    public long Seed { get; private set; }

    /// <summary>The epoch of the current batch, from 1; 0 before the first batch.</summary>
    public int Epoch { get; private set; }

    /// <summary>How many elements of this epoch were handed out, the current batch among them.</summary>
    public int Position { get; private set; }

    /// <summary>How many batches were handed out in all.</summary>
    public long Step => Epoch == 0 ? 0 : (Epoch - 1L) * Plan.BatchesPerEpoch + ((long)Position + Plan.BatchSize - 1) / Plan.BatchSize;

    /// <summary>Goes on to the next batch. The order of an epoch is drawn when its first batch is asked for.</summary>
    /// <returns>False, and nothing changes, when there is none.</returns>
    public bool MoveNext()
    {
        if (Epoch == 0 || Position == Plan.EpochLength)
        {
            if (Epoch >= Plan.Epochs || Plan.EpochLength == 0)
                return false;
            Epoch++;
            Position = 0;
            if (Plan.Shuffle)
                DrawOrder();
        }
        _start = Position;
        Position = (int)Math.Min((long)Position + Plan.BatchSize, Plan.EpochLength);
        return true;
    }

    /// <summary>The elements of the current batch, in order.</summary>
    public T[] Pick<T>(Func<int, T> element)
    {
        var batch = new T[Position - _start];
        for (var i = 0; i < batch.Length; i++)
            batch[i] = element(_indices is null ? _start + i : _indices[_start + i]);
        return batch;
    }

    /// <summary>Back to before the first batch; the same orders follow.</summary>
    public void Reset()
    {
        _random = NewRandom();
        _indices = null;
        Epoch = Position = _start = 0;
    }

    public BatchPosition Capture() => new(Seed, _random.GetState(), Epoch, Position, (int[]?)_indices?.Clone());

    /// <summary>Takes up a position of a cursor over as many elements with the same plan. The number of epochs may differ.</summary>
    /// <exception cref="ArgumentException">No such cursor can have been there. Nothing changes.</exception>
    public void Restore(BatchPosition at)
    {
        var random = new Xoshiro256StarStar(at.Generator);
        Require(at.Epoch >= 0, "the epoch is negative");
        Require(at.Epoch == 0 ? at.Position == 0 : at.Position >= Math.Min(1, Plan.EpochLength) && at.Position <= Plan.EpochLength
            && (at.Position == Plan.EpochLength || at.Position % Plan.BatchSize == 0), $"no batch ends at position {at.Position}");
        Require(Plan.Shuffle && at.Epoch > 0 ? IsOrder(at.Indices) : at.Indices is null, "its indices are no order of the data");
        _random = random;
        _indices = (int[]?)at.Indices?.Clone();
        (Seed, Epoch, Position, _start) = (at.Seed, at.Epoch, at.Position, at.Position);
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new InvalidArgumentException($"That is no state of such an iterator: {otherwise}.");
    }

    private Xoshiro256StarStar NewRandom() => new(unchecked((ulong)Seed));

    private void DrawOrder()
    {
        _indices ??= new int[Plan.Count];
        // From the data's own order, not from the last epoch's: so an epoch follows from the generator's state alone.
        for (var i = 0; i < _indices.Length; i++)
            _indices[i] = i;
        _random.Shuffle(_indices);
    }

    private bool IsOrder(int[]? indices)
    {
        if (indices?.Length != Plan.Count)
            return false;
        var seen = new bool[indices.Length];
        foreach (var index in indices)
        {
            if ((uint)index >= (uint)seen.Length || seen[index])
                return false;
            seen[index] = true;
        }
        return true;
    }
}
