namespace Checkpoint;

/// <summary>A file that was declared as a stage's output, or is to be fingerprinted, cannot be read.</summary>
internal sealed class UnreadableFileException(string path, Exception cause) : IOException(cause.Message, cause)
{
    /// <summary>The file, as far as its path is known.</summary>
    public string Path { get; } = path;

    /// <summary>Reads a file or folder; what the operating system says against it is told of this path.</summary>
    /// <exception cref="UnreadableFileException">It cannot be read.</exception>
    public static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is (IOException and not UnreadableFileException) or UnauthorizedAccessException)
        {
            throw new UnreadableFileException(path, e);
        }
    }
}
