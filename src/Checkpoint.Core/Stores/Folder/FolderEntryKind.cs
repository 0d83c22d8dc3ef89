namespace Checkpoint;

/// <summary>What a file in a stage's folder is, by its name.</summary>
internal enum FolderEntryKind
{
    /// <summary>Not ours: never read, never touched.</summary>
    Foreign,

    /// <summary>A record.</summary>
    Record,

    /// <summary>A payload.</summary>
    Payload,

    /// <summary>The journal of the stage's items, or their outputs.</summary>
    Items,

    /// <summary>A file that is being written, or was when its writer died.</summary>
    Temporary,
}
