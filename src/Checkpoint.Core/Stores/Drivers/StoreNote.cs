namespace Checkpoint;

/// <summary>An entry under another key that tells of a save: a line of the history.</summary>
/// <remarks>
/// A driver that can do so at no cost appends it in the transaction of the save, and says so by <see cref="IsCommitted"/>. Otherwise, or where it is not sure that the entry which it gives as the last is
/// still that, it leaves it alone: then it is appended afterwards, by a commit of its own. Nobody waits for its key.
/// </remarks>
public sealed class StoreNote
{
    internal StoreNote()
    {
    }

    /// <summary>The key to which it is appended, as the step above the highest.</summary>
    public required StoreKey Key { get; init; }

    /// <summary>Makes the record, from the step that is saved and from the entry with the highest step under this key, which must still be that at the commit; null where there is none.</summary>
    public required Func<long, StoreEntry?, (ReadOnlyMemory<byte> Record, string Revision)> MakeRecord { get; init; }

    /// <summary>Whether it was committed with the save; set by the driver.</summary>
    public bool IsCommitted { get; set; }
}
