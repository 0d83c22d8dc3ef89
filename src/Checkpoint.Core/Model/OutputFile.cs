namespace Checkpoint;

/// <summary>A file that a stage produced, as it was when the checkpoint was saved.</summary>
public sealed class OutputFile
{
    /// <summary>Describes a file.</summary>
    public OutputFile(string path, long size, DateTimeOffset modifiedAt, string sha256)
    {
        Path = path;
        Size = size;
        ModifiedAt = modifiedAt;
        Sha256 = sha256;
    }

    /// <summary>The file's full path.</summary>
    public string Path { get; }

    /// <summary>Its size in bytes.</summary>
    public long Size { get; }

    /// <summary>When it was last written, UTC.</summary>
    public DateTimeOffset ModifiedAt { get; }

    /// <summary>SHA-256 of its content, 64 hex digits.</summary>
    public string Sha256 { get; }

    /// <summary>The path.</summary>
    public override string ToString() => Path;
}
