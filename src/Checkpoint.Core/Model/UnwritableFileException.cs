namespace Checkpoint;

/// <summary>A file that a user named cannot be written.</summary>
internal sealed class UnwritableFileException(string path, Exception inner)
    : Exception($"The file '{path}' cannot be written: {inner.Message.TrimEnd('.')}. What was there before is untouched; name a file in a folder that is there and that this user may write to.", inner)
{
    /// <summary>The file, as a full path.</summary>
    public string Path { get; } = path;
}
