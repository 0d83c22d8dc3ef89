namespace Checkpoint;

/// <summary>Why a store did not do what it was asked for.</summary>
public enum StoreFault
{
    /// <summary>It cannot be reached, did not answer in time, or failed in a way of its own.</summary>
    Unavailable,

    /// <summary>This user may not do that.</summary>
    AccessDenied,

    /// <summary>It has no room left.</summary>
    Full,

    /// <summary>It can be read and not be written, for this user or at this time.</summary>
    ReadOnly,

    /// <summary>The lease that a commit asked for is not held any more.</summary>
    LeaseLost,

    /// <summary>What is there was written by a newer version of the driver.</summary>
    TooNew,
}
