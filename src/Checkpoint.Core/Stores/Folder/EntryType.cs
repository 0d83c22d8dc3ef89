namespace Checkpoint;

/// <summary>What an entry of a folder is.</summary>
internal enum EntryType
{
    File,
    Folder,

    /// <summary>A symbolic link, or another reparse point, whatever it leads to.</summary>
    Link,

    /// <summary>A pipe, a device or a socket.</summary>
    Other,
}
