namespace Checkpoint;

/// <summary>The records of runs: one small file a run, replaced whole.</summary>
internal sealed class FolderRuns(string root, FileSystem files)
{
    // How often the folder may be cleared away before the file is made.
    private const int Attempts = 100;

    public void Write(CheckpointRun run)
    {
        var folder = FolderLayout.RunPath(root, run.Pipeline, run.Run);
        var temporary = Path.Join(folder, FolderLayout.NewTemporaryName());
        var top = folder;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var file = files.CreateFile(temporary);
                try
                {
                    files.Write(file, RunFormat.Serialize(run).Span, 0);
                    files.Flush(file);
                    files.RenameOver(file, temporary, Path.Join(folder, FolderLayout.RunRecordName));
                }
                catch
                {
                    file.Dispose();
                    files.Delete(temporary);
                    throw;
                }
                using var handle = files.OpenDirectory(folder);
                handle.Flush();
                FolderTree.FlushAbove(files, folder, top);
                return;
            }
            catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException && attempt < Attempts)
            {
                top = FolderTree.Create(files, folder);
                temporary = Path.Join(folder, FolderLayout.NewTemporaryName());
            }
        }
    }

    /// <summary>Reads the run in a folder.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.CheckpointDamaged"/> or <see cref="CheckpointErrorKind.FormatTooNew"/>.</exception>
    public CheckpointRun? Read(string folder)
    {
        var path = Path.Join(folder, FolderLayout.RunRecordName);
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
