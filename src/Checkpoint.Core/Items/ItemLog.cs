namespace Checkpoint;

/// <summary>The journal of a stage's items as a store keeps it: only ever appended to, by one writer at a time, until the stage is cleared.</summary>
internal abstract class ItemLog : IDisposable
{
    /// <summary>Roughly how many entries there are, for making room.</summary>
    public abstract int Estimate { get; }

    /// <summary>Shows every entry that is whole, oldest first. What is torn or damaged costs only itself.</summary>
    /// <returns>How many entries were not whole.</returns>
    public abstract int ReadAll(Action<ItemMark> visit, CancellationToken cancellation);

    /// <summary>Keeps an item's output until its entry is appended; it need not be durable before. May be called from several threads.</summary>
    public abstract ItemOutput WriteOutput(ItemId id, IStateSource output, CancellationToken cancellation);

    /// <summary>Appends entries; when this returns, no loss of power can take them back. Called by one thread at a time.</summary>
    public abstract void Append(IReadOnlyList<ItemEntry> entries);

    /// <summary>Reads where an item's output is.</summary>
    /// <param name="place">What <see cref="ItemMark.Place"/> said.</param>
    /// <exception cref="InvalidDataException">It is no longer what was kept.</exception>
    public abstract ItemOutput ReadOutput(long place);

    /// <summary>Reads a whole entry of an item that is done, with where its output is.</summary>
    /// <param name="place">What <see cref="ItemMark.Place"/> said.</param>
    /// <exception cref="InvalidDataException">It is no longer what was kept.</exception>
    public abstract ItemEntry ReadEntry(long place);

    /// <summary>Opens an item's output.</summary>
    /// <exception cref="InvalidDataException">It is no longer what was kept.</exception>
    public abstract StateReader OpenOutput(ItemId id, ItemOutput output);

    public abstract void Dispose();
}
