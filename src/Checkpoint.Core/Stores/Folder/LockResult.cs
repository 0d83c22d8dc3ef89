namespace Checkpoint;

/// <summary>What came of an attempt to lock.</summary>
internal enum LockResult
{
    /// <summary>The lock is held.</summary>
    Taken,

    /// <summary>Somebody else holds it.</summary>
    Busy,

    /// <summary>This file system has no such locks.</summary>
    Unsupported,
}
