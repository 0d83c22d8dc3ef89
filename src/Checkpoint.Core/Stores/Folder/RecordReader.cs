namespace Checkpoint;

/// <summary>Reads records from their files and says whether they are intact: whole, in their own place, and with their payload beside them.</summary>
internal sealed class RecordReader(string root, FileSystem files)
{
    // An overwrite that finishes between two looks replaces the payload once; more than a few in a row would be a fault.
    private const int Attempts = 10;

    private readonly string _outputRoot = OutputRoot(root);

    /// <summary>The folder around a store: output files below it are kept relative to it.</summary>
    public static string OutputRoot(string root) => Path.GetDirectoryName(root) ?? root;

    /// <param name="folder">The stage's folder.</param>
    /// <param name="stage">The stage as the caller names it, for messages.</param>
    /// <param name="step">The step.</param>
    public CheckpointReading Read(string folder, StageId stage, long step)
    {
        var path = Path.Join(folder, FolderLayout.RecordName(step));
        string? missing = null;
        for (var attempt = 1; ; attempt++)
        {
            CheckpointInfo info;
            try
            {
                if (files.ReadRecord(path) is not { } bytes)
                    return default;
                info = RecordFormat.Parse(bytes, _outputRoot, root, path);
                if (Place(info) != folder)
                    return new CheckpointReading(CheckpointErrors.Misplaced(stage, step, path, info));
                if (info.Step != step)
                    throw new InvalidDataException($"it is a copy of step {info.Step}");
                // The old payload is removed once the new record is there: a reader that came between looks again.
                if (IsPayloadThere(info, folder, step, out var fault))
                    return new CheckpointReading(info);
                if (info.State!.Payload == missing || attempt == Attempts)
                    return new CheckpointReading(CheckpointErrors.Damaged(stage, step, path, fault));
                missing = info.State.Payload;
            }
            catch (InvalidDataException e)
            {
                return new CheckpointReading(CheckpointErrors.Damaged(stage, step, path, e.Message, e));
            }
            catch (RecordTooNewException e)
            {
                return new CheckpointReading(CheckpointErrors.FormatTooNew(stage, step, path, e.Version, RecordFormat.Version));
            }
        }
    }

    /// <summary>Whether a whole record of another stage lies in a folder, as after the folder of that one was copied: nothing of the stage that the folder is named after.</summary>
    public bool IsOfAnotherStage(string folder, long step, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var path = Path.Join(folder, FolderLayout.RecordName(step));
        try
        {
            return files.ReadRecord(path) is { } bytes && Place(RecordFormat.Parse(bytes, _outputRoot, root, path)) != folder;
        }
        catch (Exception e) when (e is InvalidDataException or RecordTooNewException)
        {
            return false;
        }
    }

    /// <summary>The folder that a record belongs into.</summary>
    /// <exception cref="InvalidDataException">Its names are no names.</exception>
    public string Place(CheckpointInfo info)
    {
        try
        {
            return FolderLayout.StagePath(root, info.StageId);
        }
        catch (CheckpointException e)
        {
            throw new InvalidDataException("its names are no names", e);
        }
    }

    private bool IsPayloadThere(CheckpointInfo info, string folder, long step, out string fault)
    {
        fault = "";
        if (info.State?.Payload is not { } payload)
            return true;
        if (FolderLayout.Classify(payload) != new FolderEntry(FolderEntryKind.Payload, step))
            throw new InvalidDataException("its payload has a name that no payload has");
        var length = files.Length(Path.Join(folder, payload));
        if (length == info.State.PayloadLength)
            return true;
        fault = length is null ? "its payload is missing" : $"its payload has {length} bytes and should have {info.State.PayloadLength}";
        return false;
    }
}
