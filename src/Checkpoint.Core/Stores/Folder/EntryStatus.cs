namespace Checkpoint;

/// <summary>What an entry of a folder is, without following or opening it.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Length">The length of a file in bytes.</param>
/// <param name="Mode">Who may do what with it; null where the system has no such modes.</param>
internal readonly record struct EntryStatus(EntryType Type, long Length, UnixFileMode? Mode);
