namespace Checkpoint;

/// <summary>What <see cref="StoreSave.CommitAsync"/> is to commit.</summary>
public sealed class StoreCommit
{
    internal StoreCommit()
    {
    }

    /// <summary>The step; or null for the highest that the key has plus 1, and 1 for the first.</summary>
    public long? Step { get; internal init; }

    /// <summary>The step to be committed.</summary>
    /// <param name="highest">The highest step that the key has, or null; only of account where <see cref="Step"/> is null.</param>
    /// <exception cref="StoreFaultException">There is none above it.</exception>
    public long StepAfter(long? highest) => Step
        ?? (highest is long.MaxValue ? throw new StoreFaultException(StoreFault.Unavailable, "it has the highest step there can be; clear it or name a step") : Math.Max(highest ?? 0, 0) + 1);

    /// <summary>Whether the step is replaced, with its payload, where it is there. Only with a step.</summary>
    public bool Overwrite { get; internal init; }

    /// <summary>
    /// Makes the record when the step is known, from the step and, where <see cref="NeedsLast"/> says so, from the entry that has the highest step before it, or null. May be called again where another
    /// writer was faster.
    /// </summary>
    public required Func<long, StoreEntry?, (ReadOnlyMemory<byte> Record, string Revision)> MakeRecord { get; init; }

    /// <summary>Whether <see cref="MakeRecord"/> is to be given the entry with the highest step, which must still be that at the commit; else it may be given null.</summary>
    public bool NeedsLast { get; internal init; }

    /// <summary>
    /// Whether it must outlast a loss of power, and, where the store keeps copies, the loss of one, when it is committed. Where not, it may do so later; but never later than what this process commits
    /// durably afterwards.
    /// </summary>
    public bool IsDurable { get; internal init; } = true;

    /// <summary>The lease without which nothing may be committed, or null.</summary>
    public StoreFence? Fence { get; internal init; }

    /// <summary>What may be appended along with it, or null.</summary>
    public StoreNote? Note { get; internal init; }
}
