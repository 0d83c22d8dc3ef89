namespace Checkpoint;

/// <summary>The records of runs: one small file a run, replaced whole.</summary>
internal sealed class FolderRuns(string root, FileSystem files)
{
    public void Write(CheckpointRun run)
    {
        var folder = FolderLayout.RunPath(root, run.Pipeline, run.Run);
        FileSystem.RefuseLinks(folder, root);
        WholeFile.Replace(files, folder, FolderLayout.RunRecordName, RunFormat.Serialize(run));
    }

    /// <summary>Reads the run in a folder.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.CheckpointDamaged"/> or <see cref="CheckpointErrorKind.FormatTooNew"/>.</exception>
    public CheckpointRun? Read(string folder)
    {
        var path = Path.Join(folder, FolderLayout.RunRecordName);
        FileSystem.RefuseLinks(folder, root);
        try
        {
            if (files.ReadRecord(path) is not { } bytes)
                return null;
            var run = RunFormat.Parse(bytes);
            return FolderLayout.RunPath(root, run.Pipeline, run.Run) == folder ? run with { Store = root }
                : throw new InvalidDataException($"it belongs to another run, '{run.Run}' of pipeline '{run.Pipeline}'");
        }
        catch (InvalidDataException e)
        {
            throw CheckpointErrors.RunDamaged(Path.GetFileName(folder), path, e);
        }
        catch (RecordTooNewException e)
        {
            throw CheckpointErrors.RunTooNew(Path.GetFileName(folder), path, e.Version, RunFormat.Version);
        }
    }
}
