namespace Checkpoint;

/// <summary>Changes what a record says of its encryption. Its payload is not touched.</summary>
internal sealed class FolderEncryption(FileSystem files, CheckpointInfo checkpoint)
{
    // The lock keeps an overwrite of the step from being undone.
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);

    /// <returns>False where the record is not that any more which was read.</returns>
    public async ValueTask<bool> ReplaceAsync(Envelope encryption, CancellationToken cancellation)
    {
        var folder = Path.GetDirectoryName(checkpoint.Location)!;
        using var handle = files.OpenDirectory(folder);
        if (await handle.LockAsync(LockPatience, cancellation) == LockResult.Busy)
            throw new IOException($"other processes have kept the stage busy for {LockPatience.TotalSeconds:0} seconds");
        if (files.ReadRecord(checkpoint.Location) is not { } record || SealedJson.ChecksumOf(record) != checkpoint.Revision)
            return false;
        WholeFile.Replace(files, folder, Path.GetFileName(checkpoint.Location), RecordFormat.WithEncryption(record, encryption));
        return true;
    }
}
