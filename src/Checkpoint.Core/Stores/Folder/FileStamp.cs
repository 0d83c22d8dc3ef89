namespace Checkpoint;

/// <summary>What tells, without reading, whether a file or folder changed.</summary>
/// <param name="Time">When it was last changed, UTC, as its file system counts.</param>
/// <param name="Length">A file's length in bytes.</param>
/// <param name="IsLink">Whether it is a link, whose own time says nothing of its target.</param>
internal readonly record struct FileStamp(DateTime Time, long Length, bool IsLink);
