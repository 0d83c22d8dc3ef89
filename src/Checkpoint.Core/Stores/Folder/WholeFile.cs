using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>Small files that are replaced whole: who reads one sees the old content or the new, also after a loss of power.</summary>
internal static class WholeFile
{
    // How often the folder may be cleared away before the file is made.
    private const int Attempts = 100;

    /// <summary>Writes a file in place of the one there was, durably. Its folder is made where it is missing.</summary>
    public static void Replace(FileSystem files, string folder, string name, ReadOnlyMemory<byte> bytes) => Replace(files, folder, name, file => files.Write(file, bytes.Span, 0));

    /// <param name="files">The file system.</param>
    /// <param name="folder">The file's folder.</param>
    /// <param name="name">Its name in it.</param>
    /// <param name="write">Writes the new content into an empty file.</param>
    public static void Replace(FileSystem files, string folder, string name, Action<SafeFileHandle> write)
    {
        var temporary = Path.Join(folder, FolderLayout.NewTemporaryName());
        var top = folder;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var file = files.CreateFile(temporary);
                try
                {
                    write(file);
                    files.Flush(file);
                    files.RenameOver(file, temporary, Path.Join(folder, name));
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
                new FolderLeftovers(files, folder).RemoveTemporaries();
                return;
            }
            catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException && attempt < Attempts)
            {
                top = FolderTree.Create(files, folder);
                temporary = Path.Join(folder, FolderLayout.NewTemporaryName());
            }
        }
    }
}
