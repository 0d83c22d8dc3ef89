using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>
/// The journal of items in a stage's folder: a file of lines, and beside it a file of the outputs that are too large for a line. One who writes alone keeps it open. Of several, each opens it for as long as
/// it reads or appends, by the file's lock, and has a file of outputs of its own.
/// </summary>
internal sealed class FolderItems : ItemLog
{
    private const int ReadSize = 1 << 20;

    // Of a line with a short key.
    private const int TypicalLine = 130;

    private const int Attempts = 100;

    private readonly string _root;
    private readonly FileSystem _files;
    private readonly StageId _stage;
    private readonly Lease? _worker;
    private readonly string _folder;
    private readonly FolderItemOutputs _outputs;
    private readonly FolderItemTurns _turns;
    private readonly ArrayBufferWriter<byte> _lines = new(1 << 16);
    private readonly bool _isMissing;
    private SafeFileHandle? _journal;

    // Where what is known of the journal ends; of several writers, what this one has read.
    private long _end;

    /// <summary>The journal for who only reads it: nothing is made, or opened so that others could mind. One that is not there has no entries.</summary>
    public static FolderItems ForReading(string root, FileSystem files, StageId stage) => new(root, files, stage, null, null, isReader: true);

    public FolderItems(string root, FileSystem files, StageId stage, Lease? lease = null, TimeProvider? time = null)
        : this(root, files, stage, lease, time, isReader: false)
    {
    }

    private FolderItems(string root, FileSystem files, StageId stage, Lease? lease, TimeProvider? time, bool isReader)
    {
        var worker = lease?.Name.Worker is null ? null : lease;
        (_root, _files, _stage, _worker) = (root, files, stage, worker);
        _folder = FolderLayout.StagePath(root, stage);
        _outputs = new FolderItemOutputs(files, _folder, worker is null ? FolderLayout.ItemOutputsName : FolderLayout.ItemOutputsOf(worker), name => Open(name, files.OpenShared)!);
        _turns = new FolderItemTurns(files, Path.Join(_folder, FolderLayout.ItemsName), time ?? TimeProvider.System, () => Open(FolderLayout.ItemsName, files.OpenLocked));
        if (isReader)
        {
            _journal = Guarded(() =>
            {
                FileSystem.RefuseLinks(_folder, _root);
                return files.OpenRead(Path.Join(_folder, FolderLayout.ItemsName));
            });
            _isMissing = _journal is null;
            return;
        }
        var journal = worker is null ? Open(FolderLayout.ItemsName, files.OpenShared)! : Guarded(() => _turns.Take(default));
        var length = RandomAccess.GetLength(journal);
        // Lines with outputs are long: no more room is made at once than some tens of megabytes.
        Estimate = (int)Math.Min(length / TypicalLine, 1 << 20);
        if (worker is null)
            (_journal, _end) = (journal, length);
        else
            journal.Dispose();
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

    public override int Estimate { get; }

    private delegate void LineVisitor(ReadOnlySpan<byte> line, long at, bool isWhole);

    public override int ReadAll(Action<ItemMark> visit, Action<WorkerLine> visitWorker, CancellationToken cancellation) => _isMissing ? 0 : WithJournal(journal =>
    {
        var damaged = ReadLines(journal, _worker is null ? 0 : _end, (line, at, isWhole) =>
        {
            if (!isWhole)
                return;
            if (ItemFormat.TryParse(line, out var id, out var isDone, out var hasOutput))
                visit(new ItemMark(id, isDone, hasOutput ? at : -1, at));
            else if (ItemFormat.TryReadWorker(line) is { } worker)
                visitWorker(worker);
            else
                RequireKnown(line);
        }, cancellation);
        if (_worker is not null)
            _end = RandomAccess.GetLength(journal);
        return damaged;
    }, cancellation);

    public override void WaitForChange(TimeSpan atMost, CancellationToken cancellation)
    {
        if (cancellation.WaitHandle.WaitOne(atMost))
            cancellation.ThrowIfCancellationRequested();
    }

    public override int Rewrite(Func<ItemEntry, ItemEntry?> change, CancellationToken cancellation)
    {
        var latest = new Dictionary<ItemId, long>();
        var outputs = new Dictionary<ItemId, long>();
        var journal = _journal!;
        ReadLines(journal, 0, (line, at, isWhole) =>
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
                ReadLines(journal, 0, (line, at, isWhole) =>
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
                journal.Dispose();
            });
            _journal = Open(FolderLayout.ItemsName, _files.OpenShared)!;
            _end = RandomAccess.GetLength(_journal);
            return true;
        });
        return count;
    }

    private int ReadLines(SafeFileHandle journal, long from, LineVisitor visit, CancellationToken cancellation) => Guarded(() =>
    {
        // Whoever goes on reading has little to read, and often.
        var buffer = new byte[from == 0 ? ReadSize : 1 << 16];
        var (filled, at, damaged, isTooLong) = (0, from, 0, false);
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var read = _files.Read(journal, buffer.AsSpan(filled), at + filled);
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
                return isTooLong ? damaged + 1 : filled > start ? damaged + Show(buffer.AsSpan(start, filled - start), at + start, visit) : damaged;
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

    public override ItemOutput WriteOutput(ItemId id, IStateSource output, CancellationToken cancellation) => Guarded(() => _outputs.Write(output, cancellation));

    public override void Append(IReadOnlyList<ItemEntry> entries, CancellationToken cancellation) => Append(
        lines =>
        {
            foreach (var entry in entries)
                ItemFormat.Write(lines, entry);
            if (entries.Any(e => e.Output?.State.Payload is not null))
                _outputs.Flush();
        },
        cancellation);

    public override void Append(WorkerLine line, CancellationToken cancellation) => Append(lines => ItemFormat.Write(lines, line), cancellation);

    private void Append(Action<ArrayBufferWriter<byte>> write, CancellationToken cancellation) => WithJournal(journal =>
    {
        // Whose time is over has no place in a journal that may have been begun anew since.
        if (_worker?.WhyLostAsync(cancellation).AsTask().GetAwaiter().GetResult() is { } reason)
            throw CheckpointErrors.LeaseLost(_worker.Name, _root, reason);
        var end = RandomAccess.GetLength(journal);
        // What others were told is done must not be written over.
        if (_worker is null && end != _end)
            throw new IOException("another process has written to it");
        _lines.ResetWrittenCount();
        if (end == 0)
            ItemFormat.WriteHead(_lines, _stage);
        else if (!EndsLine(journal, end))
            _lines.Write("\n"u8);
        write(_lines);
        _files.Write(journal, _lines.WrittenSpan, end);
        _files.Flush(journal);
        if (_worker is null)
            _end = end + _lines.WrittenCount;
        return true;
    }, cancellation);

    public override ItemOutput ReadOutput(long place, CancellationToken cancellation) => Guarded(() => ItemFormat.ReadOutput(ReadLine(place)));

    public override ItemEntry ReadFailure(long at, CancellationToken cancellation) => Guarded(() => ItemFormat.ReadFailure(ReadLine(at)));

    public override StateReader OpenOutput(ItemId id, ItemOutput output, CancellationToken cancellation) => output.State.Payload is null ? new StateReader(output.State, null) : Guarded(() => _outputs.Open(output));

    public override void Dispose()
    {
        _journal?.Dispose();
        _outputs.Dispose();
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

    private bool EndsLine(SafeFileHandle journal, long end)
    {
        Span<byte> last = stackalloc byte[1];
        return _files.Read(journal, last, end - 1) == 1 && last[0] == '\n';
    }

    private byte[] ReadLine(long place)
    {
        // What was shown stays as it is: that needs no lock.
        using var other = _journal is null ? _files.OpenRead(Path.Join(_folder, FolderLayout.ItemsName)) : null;
        var journal = _journal ?? other ?? throw new InvalidDataException("the journal is gone");
        var buffer = new byte[4096];
        for (var filled = 0; ;)
        {
            var read = _files.Read(journal, buffer.AsSpan(filled), place + filled);
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

    private T WithJournal<T>(Func<SafeFileHandle, T> work, CancellationToken cancellation) => Guarded(() =>
    {
        if (_worker is null)
            return work(_journal!);
        while (true)
        {
            using var journal = _turns.Take(cancellation);
            var result = work(journal);
            if (_turns.IsStill(journal))
                return result;
        }
    });

    // The folder, and what is new above it, are flushed with the file that is new in it. Null where the opening gives that.
    private SafeFileHandle? Open(string name, Func<string, SafeFileHandle?> open) => Guarded(() =>
    {
        FileSystem.RefuseLinks(_folder, _root);
        var path = Path.Join(_folder, name);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var file = open(path);
                if (file is not null && RandomAccess.GetLength(file) == 0)
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
