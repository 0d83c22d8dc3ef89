using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>Reads a folder's journal of items through to have it judged.</summary>
/// <param name="files">The file system.</param>
/// <param name="node">The journal.</param>
/// <param name="root">The store's folder.</param>
/// <param name="key">What opens the outputs that are encrypted; null where their bytes alone are judged.</param>
internal sealed class FolderItemsCheck(FileSystem files, FolderNode node, string root, CheckpointKey? key)
{
    /// <summary>Reads the journal.</summary>
    /// <param name="progress">Told the bytes that were read.</param>
    /// <param name="visit">Shown each piece of a line, without its line feed, and whether it is good.</param>
    /// <param name="cancellation">Ends it.</param>
    public ItemsCheck Run(Action<long>? progress, Action<ReadOnlyMemory<byte>, bool>? visit, CancellationToken cancellation)
    {
        using var journal = files.OpenRead(node.Path);
        using var outputs = new FolderOutputFiles(files, node.Folder);
        var check = new ItemsCheck(node.Stage, key, stage => FolderLayout.StagePath(root, stage) == node.Folder, outputs.Open, mayBeTorn: true);
        if (journal is null)
            return check;
        var (number, read) = (0L, 0L);
        foreach (var (line, _) in LineFile.Lines(files, journal, ItemFormat.MaxLine))
        {
            cancellation.ThrowIfCancellationRequested();
            number++;
            foreach (var piece in ItemFormat.Pieces(line))
            {
                var isGood = check.Judge(piece, number, cancellation);
                if (check.TooNew is not null)
                    return check;
                visit?.Invoke(piece, isGood);
            }
            progress?.Invoke(read += line.Length + 1);
        }
        return check;
    }

    // Each of those who worked on the items together has written a file of its own.
    private sealed class FolderOutputFiles(FileSystem files, string folder) : IDisposable
    {
        private readonly Dictionary<string, SafeFileHandle?> _files = [];

        public PayloadStream? Open(ItemOutput output)
        {
            var (state, offset) = output;
            return File(state.Payload!) is not { } file || offset < 0 || state.PayloadLength < 0 || offset > RandomAccess.GetLength(file) - state.PayloadLength ? null
                : new PayloadStream(files, file, leaveOpen: true) { Start = offset, End = offset + state.PayloadLength };
        }

        public void Dispose()
        {
            foreach (var file in _files.Values)
                file?.Dispose();
        }

        private SafeFileHandle? File(string name)
        {
            if (!_files.TryGetValue(name, out var file))
            {
                var path = Path.Join(folder, name);
                _files[name] = file = files.Status(path) is { Type: EntryType.File } ? files.OpenRead(path) : null;
            }
            return file;
        }
    }
}
