namespace Checkpoint;

/// <summary>What is the matter with something in a store.</summary>
public enum StoreFindingKind
{
    /// <summary>The record of a checkpoint is not what was written.</summary>
    DamagedRecord,

    /// <summary>The payload of a checkpoint is missing or not what was written.</summary>
    DamagedPayload,

    /// <summary>A state is, byte for byte, what its record says, and yet no state.</summary>
    UndecodableState,

    /// <summary>Something encrypted is, byte for byte, what its record says, and yet not what was saved with the key: somebody who knows the format changed it.</summary>
    NotAuthentic,

    /// <summary>Something is encrypted with another key than the one given, so that its bytes alone were verified.</summary>
    Locked,

    /// <summary>Something is not encrypted though there is a key.</summary>
    NotEncrypted,

    /// <summary>Something whole lies where something else should, as in a folder that was copied.</summary>
    Misplaced,

    /// <summary>The journal of a stage's items, or an output that it names, is not what was written.</summary>
    DamagedJournal,

    /// <summary>The record of a run is not what was written.</summary>
    DamagedRun,

    /// <summary>The record of a circuit breaker is not what was written.</summary>
    DamagedBreaker,

    /// <summary>The file of a lock does not say who has or had it.</summary>
    DamagedLock,

    /// <summary>A line of a history was changed, removed, added or moved.</summary>
    HistoryBroken,

    /// <summary>The newest lines of a history are missing.</summary>
    HistoryCut,

    /// <summary>The head of a history is missing or cannot be read.</summary>
    HistoryHead,

    /// <summary>A line that a crash cut off.</summary>
    TornLine,

    /// <summary>A link, a pipe or a device where a file or folder of the store should be. It was neither followed nor opened.</summary>
    NotAFile,

    /// <summary>Something that could not be read, and so not verified.</summary>
    Unreadable,

    /// <summary>Something that a newer version of Checkpoint wrote.</summary>
    FormatTooNew,

    /// <summary>Files or folders that others than their owner may read or write.</summary>
    OpenPermissions,

    /// <summary>What a save left that was cut off.</summary>
    Leftover,

    /// <summary>Something that Checkpoint did not write.</summary>
    Foreign,
}
