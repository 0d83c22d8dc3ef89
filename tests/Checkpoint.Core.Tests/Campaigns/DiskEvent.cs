namespace Checkpoint.Tests;

/// <summary>A file or folder on a disk, whatever its name.</summary>
internal sealed record DiskNode(int Id, bool IsFolder);

/// <summary>What a name in a folder stands for from now on; nothing where it was removed.</summary>
internal sealed record EntryChange(DiskNode Folder, string Name, DiskNode? Child);

/// <summary>One thing that happened to a disk, or to who works on it.</summary>
internal abstract record DiskEvent
{
    /// <summary>Names that change together or not at all: a rename has two.</summary>
    public sealed record Entries(EntryChange[] Changes) : DiskEvent;

    public sealed record Write(DiskNode File, long Offset, byte[] Bytes) : DiskEvent;

    /// <summary>A file's content, or a folder's entries, are durable from now on.</summary>
    public sealed record Flush(DiskNode Node, string Path) : DiskEvent;

    /// <summary>The caller was told that the work is done.</summary>
    public sealed record Acknowledged : DiskEvent;
}
