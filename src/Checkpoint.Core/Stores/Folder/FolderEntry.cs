namespace Checkpoint;

/// <summary>What a file in a stage's folder is, and of which step.</summary>
internal readonly record struct FolderEntry(FolderEntryKind Kind, long Step);
