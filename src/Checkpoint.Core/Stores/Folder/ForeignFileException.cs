namespace Checkpoint;

/// <summary>Something that no writer of a store made has the name of one of its files or folders: a link, a pipe, a device. It is neither followed nor read nor written.</summary>
internal sealed class ForeignFileException(string path, string what) : IOException($"'{path}' {what}")
{
    public const string Link = "is a link, and links in a store are not followed";
    public const string NoFile = "is no file but a pipe, a device or a folder";
    public const string Shared = "is a hard link: what is written to it would change another file too. Put a copy in its place";

    /// <summary>What is wrong, without the path.</summary>
    public string What { get; } = what;
}
