namespace Checkpoint;

/// <summary>The journal of a stage's items as a store keeps it, until the stage is cleared: appended to by one writer alone, or by several that each have a lease among those who work on the items together.</summary>
internal abstract class ItemLog : IDisposable
{
    /// <summary>Roughly how many entries there are, for making room.</summary>
    public abstract int Estimate { get; }

    /// <summary>Shows every entry that is whole, oldest first. What is torn or damaged costs only itself. Of several writers, each is shown only what it was not shown before.</summary>
    /// <param name="visit">Shown what became of an item.</param>
    /// <param name="visitWorker">Shown what those say who work together.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>How many entries were not whole.</returns>
    public abstract int ReadAll(Action<ItemMark> visit, Action<WorkerLine> visitWorker, CancellationToken cancellation);

    /// <summary>The same for who has nothing to do with others.</summary>
    public int ReadAll(Action<ItemMark> visit, CancellationToken cancellation) => ReadAll(visit, static _ => { }, cancellation);

    /// <summary>Keeps an item's output until its entry is appended; it need not be durable before. May be called from several threads.</summary>
    public abstract ItemOutput WriteOutput(ItemId id, IStateSource output, CancellationToken cancellation);

    /// <summary>Appends entries; when this returns, no loss of power can take them back. Called by one thread at a time.</summary>
    /// <param name="entries">The entries.</param>
    /// <param name="cancellation">Ends the wait for others and for a server; the entries may be there all the same then.</param>
    public abstract void Append(IReadOnlyList<ItemEntry> entries, CancellationToken cancellation);

    /// <summary>The same for what one of several writers says of itself.</summary>
    public abstract void Append(WorkerLine line, CancellationToken cancellation);

    /// <summary>Waits until others may have appended something: returns at the latest after a while, and may return for no reason.</summary>
    public abstract void WaitForChange(TimeSpan atMost, CancellationToken cancellation);

    /// <summary>Reads where an item's output is.</summary>
    /// <param name="place">What <see cref="ItemMark.Place"/> said.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="InvalidDataException">It is no longer what was kept.</exception>
    public abstract ItemOutput ReadOutput(long place, CancellationToken cancellation);

    /// <summary>Reads why an item failed.</summary>
    /// <param name="at">What <see cref="ItemMark.At"/> said of one that is not done.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="InvalidDataException">It is no longer what was written.</exception>
    public abstract ItemEntry ReadFailure(long at, CancellationToken cancellation);

    /// <summary>Writes the journal anew, whole or not at all, with other entries for some of the items that have an output. What a later entry has made void is left out, all else stays.</summary>
    /// <param name="change">Gives the new entry for one, or null where it stays; may be asked twice.</param>
    /// <param name="cancellation">Leaves the journal as it is.</param>
    /// <returns>How many entries were changed; with none, nothing is written.</returns>
    public abstract int Rewrite(Func<ItemEntry, ItemEntry?> change, CancellationToken cancellation);

    /// <summary>Opens an item's output.</summary>
    /// <exception cref="InvalidDataException">It is no longer what was kept.</exception>
    public abstract StateReader OpenOutput(ItemId id, ItemOutput output, CancellationToken cancellation);

    public abstract void Dispose();
}
