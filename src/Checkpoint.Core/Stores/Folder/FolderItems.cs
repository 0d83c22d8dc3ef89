using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>The journal of items in a stage's folder: a file of lines, and beside it a file of the outputs that are too large for a line. Whoever opens it has the stage's lease.</summary>
internal sealed class FolderItems : ItemLog
{
    private const int ReadSize = 1 << 20;

    // Of a line with a short key.
    private const int TypicalLine = 130;

    private const int Attempts = 100;

    private readonly string _root;
    private readonly FileSystem _files;
    private readonly StageId _stage;
    private readonly string _folder;
    private SafeFileHandle _journal;
    private readonly object _outputGate = new();
    private readonly ArrayBufferWriter<byte> _lines = new(1 << 16);
    private SafeFileHandle? _outputs;
    private long _outputsEnd;
    private bool _areOutputsDirty;
    private long _end;
    private bool _isTorn;

    public FolderItems(string root, FileSystem files, StageId stage)
    {
        (_root, _files, _stage) = (root, files, stage);
        _folder = FolderLayout.StagePath(root, stage);
        _journal = Open(FolderLayout.ItemsName);
        _end = RandomAccess.GetLength(_journal);
    }

    /// <summary>The stage that a journal says it is of, where that stage has this folder.</summary>
    public static StageId? OwnerOf(string root, FileSystem files, string folder)
    {
        using var journal = files.OpenRead(Path.Join(folder, FolderLayout.ItemsName));
        if (journal is null)
            return null;
        var head = LineFile.Lines(files, journal, ItemFormat.MaxLine).Select(l => l.Line).FirstOrDefault();
        return ItemFormat.IsWhole(head.Span) && ItemFormat.ReadHead(head) is { } stage && FolderLayout.StagePath(root, stage) == folder ? stage : null;
    }

    // Lines with outputs are long: no more room is made at once than some tens of megabytes.
    public override int Estimate => (int)Math.Min(_end / TypicalLine, 1 << 20);

    private delegate void LineVisitor(ReadOnlySpan<byte> line, long at, bool isWhole);

    public override int ReadAll(Action<ItemMark> visit, CancellationToken cancellation) => ReadLines((line, at, isWhole) =>
    {
        if (!isWhole)
            return;
        if (ItemFormat.TryParse(line, out var id, out var isDone, out var hasOutput))
            visit(new ItemMark(id, isDone, hasOutput ? at : -1));
        else
            RequireKnown(line);
    }, cancellation);

    public override int Rewrite(Func<ItemEntry, ItemEntry?> change, CancellationToken cancellation)
    {
        var latest = new Dictionary<ItemId, long>();
        var outputs = new Dictionary<ItemId, long>();
        ReadLines((line, at, isWhole) =>
        {
            if (!isWhole)
                return;
            if (!ItemFormat.TryParse(line, out var id, out _, out var hasOutput))
            {
                RequireKnown(line);
                return;
            }
            latest[id] = at;
            outputs.Remove(id);
            if (hasOutput)
                outputs[id] = at;
        }, cancellation);
        ItemEntry? Changed(byte[] line) => ItemFormat.TryReadEntry(line) is { } entry ? change(entry) : null;
        if (!outputs.Values.Any(place => Changed(Guarded(() => ReadLine(place))) is not null))
            return 0;

        var count = 0;
        Guarded(() =>
        {
            WholeFile.Replace(_files, _folder, FolderLayout.ItemsName, file =>
            {
                count = 0;
                var end = 0L;
                void Spill(int atLeast)
                {
                    if (_lines.WrittenCount < atLeast)
                        return;
                    _files.Write(file, _lines.WrittenSpan, end);
                    end += _lines.WrittenCount;
                    _lines.ResetWrittenCount();
                }

                _lines.ResetWrittenCount();
                ReadLines((line, at, isWhole) =>
                {
                    ItemEntry? changed = null;
                    if (isWhole && ItemFormat.TryParse(line, out var id, out _, out var hasOutput))
                    {
                        if (latest[id] != at)
                            return;
                        changed = hasOutput ? Changed(line.ToArray()) : null;
                    }
                    if (changed is null)
                    {
                        _lines.Write(line);
                        _lines.Write("\n"u8);
                    }
                    else
                    {
                        ItemFormat.Write(_lines, changed);
                        count++;
                    }
                    Spill(ReadSize);
                }, cancellation);
                Spill(0);
                // Windows replaces no file that is open.
                _journal.Dispose();
            });
            _journal = Open(FolderLayout.ItemsName);
            _end = RandomAccess.GetLength(_journal);
            _isTorn = false;
            return true;
        });
        return count;
    }

    private int ReadLines(LineVisitor visit, CancellationToken cancellation) => Guarded(() =>
    {
        var buffer = new byte[ReadSize];
        var (filled, at, damaged, isTooLong) = (0, 0L, 0, false);
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var read = _files.Read(_journal, buffer.AsSpan(filled), at + filled);
            filled += read;
            var start = 0;
            for (int length; (length = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n')) >= 0; start += length + 1)
            {
                damaged += isTooLong ? 1 : Show(buffer.AsSpan(start, length), at + start, visit);
                isTooLong = false;
            }
            if (read == 0)
            {
                // What a crash left without its line feed may be whole, and is ended before anything follows.
                _isTorn = filled > start || isTooLong;
                return isTooLong ? damaged + 1 : _isTorn ? damaged + Show(buffer.AsSpan(start, filled - start), at + start, visit) : damaged;
            }
            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            at += start;
            filled -= start;
            if (filled == ItemFormat.MaxLine)
                (at, filled, isTooLong) = (at + filled, 0, true);
            else if (filled == buffer.Length)
                Array.Resize(ref buffer, 2 * buffer.Length);
        }
    });

    public override ItemOutput WriteOutput(ItemId id, IStateSource output, CancellationToken cancellation)
    {
        var isLocked = false;
        try
        {
            return Guarded(() =>
            {
                PayloadStream? payload = null;
                using var writer = new StateWriter(() =>
                {
                    Monitor.Enter(_outputGate);
                    isLocked = true;
                    Outputs();
                    _areOutputsDirty = true;
                    // Behind all that is there, also where somebody else, against the rules, has written.
                    _outputsEnd = RandomAccess.GetLength(_outputs!);
                    return payload = Outputs(_outputsEnd);
                });
                output.WriteTo(writer, cancellation);
                var state = writer.Complete(output.IsSequence, cancellation);
                // What was flushed behind the writing of a very large one tells its error here or never.
                if (state.PayloadLength >= PayloadStream.FlushBehind)
                    payload!.FlushToDiskAsync(cancellation).AsTask().GetAwaiter().GetResult();
                var offset = _outputsEnd;
                if (state.Payload is not null)
                    _outputsEnd += state.PayloadLength;
                return new ItemOutput(state, offset);
            });
        }
        finally
        {
            if (isLocked)
                Monitor.Exit(_outputGate);
        }
    }

    public override void Append(IReadOnlyList<ItemEntry> entries) => Guarded(() =>
    {
        // What others were told is done must not be written over.
        if (RandomAccess.GetLength(_journal) != _end)
            throw new IOException("another process has written to it");
        _lines.ResetWrittenCount();
        if (_end == 0)
            ItemFormat.WriteHead(_lines, _stage);
        else if (_isTorn)
            _lines.Write("\n"u8);
        foreach (var entry in entries)
            ItemFormat.Write(_lines, entry);
        lock (_outputGate)
        {
            if (_areOutputsDirty && entries.Any(e => e.Output?.State.Payload is not null))
            {
                _files.Flush(_outputs!);
                _areOutputsDirty = false;
            }
        }
        _files.Write(_journal, _lines.WrittenSpan, _end);
        _files.Flush(_journal);
        _end += _lines.WrittenCount;
        _isTorn = false;
        return true;
    });

    public override ItemOutput ReadOutput(long place) => Guarded(() => ItemFormat.ReadOutput(ReadLine(place)));

    public override StateReader OpenOutput(ItemId id, ItemOutput output)
    {
        if (output.State.Payload is null)
            return new StateReader(output.State, null);
        lock (_outputGate)
            return new StateReader(output.State, Outputs(output.Offset, output.Offset + output.State.PayloadLength));
    }

    public override void Dispose()
    {
        _journal.Dispose();
        _outputs?.Dispose();
    }

    // A line feed that was damaged joins two lines; the second need not be lost for that.
    private static int Show(ReadOnlySpan<byte> line, long at, LineVisitor visit)
    {
        var damaged = 0;
        while (!ItemFormat.IsWhole(line))
        {
            damaged = line.IsEmpty ? 0 : 1;
            var next = line.Length > 1 ? line[1..].IndexOf(ItemFormat.LineStart) : -1;
            visit(next < 0 ? line : line[..(1 + next)], at, isWhole: false);
            if (next < 0)
                return damaged;
            line = line[(1 + next)..];
            at += 1 + next;
        }
        visit(line, at, isWhole: true);
        return damaged;
    }

    private static void RequireKnown(ReadOnlySpan<byte> line)
    {
        if (ItemFormat.VersionOf(line) is > ItemFormat.Version and var version)
            throw new RecordTooNewException(version);
    }

    private byte[] ReadLine(long place)
    {
        var buffer = new byte[4096];
        for (var filled = 0; ;)
        {
            var read = _files.Read(_journal, buffer.AsSpan(filled), place + filled);
            filled += read;
            var length = buffer.AsSpan(0, filled).IndexOf((byte)'\n');
            if (length >= 0 || read == 0)
            {
                var line = buffer[..(length >= 0 ? length : filled)];
                return ItemFormat.IsWhole(line) ? line : throw new InvalidDataException("the line of the journal was changed");
            }
            if (filled >= ItemFormat.MaxLine)
                throw new InvalidDataException("the line of the journal was changed");
            if (filled == buffer.Length)
                Array.Resize(ref buffer, 4 * buffer.Length);
        }
    }

    private PayloadStream Outputs(long from, long end = long.MaxValue) => new(_files, Outputs(), leaveOpen: true) { Start = from, End = end };

    private SafeFileHandle Outputs()
    {
        if (_outputs is null)
        {
            _outputs = Open(FolderLayout.ItemOutputsName);
            _outputsEnd = RandomAccess.GetLength(_outputs);
        }
        return _outputs;
    }

    // The folder, and what is new above it, are flushed with the file that is new in it.
    private SafeFileHandle Open(string name) => Guarded(() =>
    {
        FileSystem.RefuseLinks(_folder, _root);
        var path = Path.Join(_folder, name);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var file = _files.OpenShared(path);
                if (RandomAccess.GetLength(file) == 0)
                {
                    using (var folder = _files.OpenDirectory(_folder))
                        folder.Flush();
                    FolderTree.FlushAbove(_files, _folder, Path.GetDirectoryName(_root) ?? _root);
                }
                return file;
            }
            catch (DirectoryNotFoundException) when (attempt < Attempts)
            {
                FolderTree.Create(_files, _folder);
            }
        }
    });

    private T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (RecordTooNewException e)
        {
            throw CheckpointErrors.ItemsTooNew(_stage, Path.Join(_folder, FolderLayout.ItemsName), e.Version, ItemFormat.Version);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Keeping the journal of the items of {_stage}", _stage.Name);
        }
    }
}
