namespace Checkpoint;

/// <summary>What came of an attempt to take a lease.</summary>
/// <param name="Lease">The lease, to be disposed of when the work is done; or null where somebody else has it.</param>
/// <param name="Holder">Who has it then, or null where that cannot be told (any more).</param>
internal readonly record struct LeaseAttempt(Lease? Lease, LeaseHolder? Holder);
