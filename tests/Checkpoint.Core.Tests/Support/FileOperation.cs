namespace Checkpoint.Tests;

public enum FileVerb
{
    CreateDirectory,
    CreateFile,
    OpenDirectory,
    LockDirectory,
    FlushDirectory,
    RenameNew,
    RenameOver,
    Move,
    Write,
    Flush,
    OpenRead,
    OpenLocked,
    OpenShared,
    Read,
    Delete,
    DeleteDirectory,
    Length,
    Stamp,
    Status,
    LastWrite,
    DirectoryExists,
    DeleteAbandoned,
    IsLocked,
    Scan,
}

/// <summary>One call of the file system.</summary>
/// <param name="Verb">What is done.</param>
/// <param name="Path">To what.</param>
/// <param name="Target">For a rename, the new name.</param>
internal sealed record FileOperation(FileVerb Verb, string Path, string? Target = null)
{
    /// <summary>For a write, what is written.</summary>
    public byte[] Bytes { get; init; } = [];

    /// <summary>For a write, where.</summary>
    public long Offset { get; init; }

    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>What the file is in the end: for a rename by its new name.</summary>
    public FolderEntryKind Kind => FolderLayout.Classify(System.IO.Path.GetFileName(Target ?? Path)).Kind;

    public bool IsDeletion => Verb is FileVerb.Delete or FileVerb.DeleteAbandoned;

    public bool IsRename => Verb is FileVerb.RenameNew or FileVerb.RenameOver;

    /// <summary>Whether an operating system can answer this with an error: the others answer no, or nothing.</summary>
    public bool CanFail => Verb is not (FileVerb.DirectoryExists or FileVerb.Length or FileVerb.DeleteDirectory or FileVerb.LockDirectory);

    /// <summary>Whether this needs room, or something that can be written.</summary>
    public bool Changes => Verb is FileVerb.CreateDirectory or FileVerb.CreateFile or FileVerb.RenameNew or FileVerb.RenameOver or FileVerb.Move or FileVerb.Write or FileVerb.Flush or FileVerb.FlushDirectory;
}
