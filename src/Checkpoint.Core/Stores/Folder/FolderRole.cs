namespace Checkpoint;

/// <summary>What a file or folder of a folder store is, by its name and by what it lies in.</summary>
internal enum FolderRole
{
    /// <summary>Not ours.</summary>
    Foreign,

    /// <summary>Kept for later use, or for the system: passed over.</summary>
    Reserved,

    Store,
    Pipeline,
    Runs,
    Run,
    Stages,
    Stage,
    Leases,
    Breakers,

    /// <summary>This and what follows are files.</summary>
    History,
    HistoryHead,
    RunRecord,
    Breaker,
    Lock,
    Record,
    Payload,
    Items,
    ItemOutputs,
    Temporary,
}
