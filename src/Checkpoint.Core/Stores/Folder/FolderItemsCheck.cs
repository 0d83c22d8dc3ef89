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
        using var outputs = OpenOutputs();
        var check = new ItemsCheck(node.Stage, key, stage => FolderLayout.StagePath(root, stage) == node.Folder, output => Open(outputs, output), mayBeTorn: true);
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

    private PayloadStream? Open(SafeFileHandle? outputs, ItemOutput output)
    {
        var (state, offset) = output;
        return outputs is null || offset < 0 || state.PayloadLength < 0 || offset > RandomAccess.GetLength(outputs) - state.PayloadLength ? null
            : new PayloadStream(files, outputs, leaveOpen: true) { Start = offset, End = offset + state.PayloadLength };
    }

    private SafeFileHandle? OpenOutputs()
    {
        var path = Path.Join(node.Folder, FolderLayout.ItemOutputsName);
        return files.Status(path) is { Type: EntryType.File } ? files.OpenRead(path) : null;
    }
}
