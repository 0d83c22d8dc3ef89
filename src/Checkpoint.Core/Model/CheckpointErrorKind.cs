namespace Checkpoint;

/// <summary>What went wrong, for every error that Checkpoint raises itself. The member's name is the error id that PowerShell shows.</summary>
public enum CheckpointErrorKind
{
    /// <summary>No such checkpoint, or no such step of it.</summary>
    CheckpointNotFound,

    /// <summary>The step is already saved, and overwriting it was not asked for.</summary>
    CheckpointExists,

    /// <summary>A record or payload is not, byte for byte, what was saved.</summary>
    CheckpointDamaged,

    /// <summary>A record was written in a format newer than this version reads.</summary>
    FormatTooNew,

    /// <summary>The configuration or input differs from that of the save.</summary>
    FingerprintMismatch,

    /// <summary>The object to restore into is not the kind of object that was saved.</summary>
    IdentityMismatch,

    /// <summary>A value that cannot be kept as state.</summary>
    StateNotSerializable,

    /// <summary>A secret was to be saved, or an encrypted checkpoint read, without a key.</summary>
    KeyRequired,

    /// <summary>The key does not open the checkpoint.</summary>
    KeyWrong,

    /// <summary>The store cannot be reached or used.</summary>
    StoreUnavailable,

    /// <summary>The operating system denies access to the store.</summary>
    StoreAccessDenied,

    /// <summary>The disk or the quota is full.</summary>
    StoreFull,

    /// <summary>The store lies on something read-only.</summary>
    StoreReadOnly,

    /// <summary>Another process holds the right to do this work.</summary>
    LeaseHeld,

    /// <summary>The right to do this work was lost.</summary>
    LeaseLost,

    /// <summary>A name that no pipeline, run or stage can have.</summary>
    InvalidName,

    /// <summary>The stages do not form a pipeline.</summary>
    InvalidPipeline,

    /// <summary>A stage of a pipeline failed.</summary>
    StageFailed,

    /// <summary>No such run.</summary>
    RunNotFound,
}
