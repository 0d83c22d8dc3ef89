namespace Checkpoint;

/// <summary>What came of an attempt to take a lease.</summary>
/// <param name="Lease">The lease, to be disposed of when the work is done; or null where somebody else has it.</param>
/// <param name="Holder">Who has it then, or null where that cannot be told (any more).</param>
internal readonly record struct LeaseAttempt(Lease? Lease, LeaseHolder? Holder)
{
    /// <summary>Whether it is free, and another lease keeps it from being taken: that of the stage as a whole keeps out those who work on its items together, and theirs keep out that.</summary>
    public bool IsBarred { get; init; }
}
