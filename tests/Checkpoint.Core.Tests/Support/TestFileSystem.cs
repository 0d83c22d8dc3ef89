using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint.Tests;

/// <summary>The file system of this machine, which writes down every call and lets a test step in before and after it.</summary>
internal sealed class TestFileSystem : FileSystem
{
    private readonly ConcurrentDictionary<SafeFileHandle, string> _paths = new();
    private readonly List<FileOperation> _operations = [];

    /// <summary>Called before each operation; what it throws is the operation's error.</summary>
    public Action<FileOperation>? Before { get; set; }

    /// <summary>Called after each operation.</summary>
    public Action<FileOperation>? After { get; set; }

    /// <summary>The most bytes that one read gives.</summary>
    public int MaxRead { get; set; } = int.MaxValue;

    /// <summary>What an attempt to lock a folder gives, instead of a lock.</summary>
    public LockResult? LockAnswer { get; set; }

    /// <summary>What was tried to be written past the cache, whether that could be or not.</summary>
    public ConcurrentBag<(int Length, long Offset)> DirectWrites { get; } = [];

    public bool RefusesDirect { get; set; }

    /// <summary>What is said of every file and folder, instead of what is true.</summary>
    public FileStamp? StampAnswer { get; set; }

    /// <summary>Every operation so far, in order.</summary>
    public IReadOnlyList<FileOperation> Operations
    {
        get
        {
            lock (_operations)
                return [.. _operations];
        }
    }

    public void Forget()
    {
        lock (_operations)
            _operations.Clear();
    }

    public int Count(FileVerb verb) => Operations.Count(o => o.Verb == verb);

    /// <summary>How names are told that were not written so.</summary>
    public Func<string, string> ScannedAs { get; set; } = name => name;

    public bool TellsChangesAnswer { get; set; } = true;

    public bool? LocksOutlastRenamesAnswer { get; set; }

    public override bool LocksOutlastRenames => LocksOutlastRenamesAnswer ?? Current.LocksOutlastRenames;

    public override bool TellsChanges(string path) => TellsChangesAnswer;

    public override void CreateDirectory(string path) => Do(new(FileVerb.CreateDirectory, path), () => Current.CreateDirectory(path));

    public override SafeFileHandle CreateFile(string path) => Do(new(FileVerb.CreateFile, path), () =>
    {
        var file = Current.CreateFile(path);
        _paths[file] = path;
        return file;
    });

    public override DirectoryHandle OpenDirectory(string path) =>
        Do<DirectoryHandle>(new(FileVerb.OpenDirectory, path), () => new TestDirectory(this, path, Current.OpenDirectory(path)));

    public override bool TryRenameNew(SafeFileHandle file, string from, string to) => Do(new(FileVerb.RenameNew, from, to), () =>
    {
        var renamed = Current.TryRenameNew(file, from, to);
        if (renamed)
            _paths[file] = to;
        return renamed;
    });

    public override bool TryMove(string from, string to) => Do(new(FileVerb.Move, from, to), () => Current.TryMove(from, to));

    public override void RenameOver(SafeFileHandle file, string from, string to) => Do(new(FileVerb.RenameOver, from, to), () =>
    {
        Current.RenameOver(file, from, to);
        _paths[file] = to;
    });

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        var operation = Enter(new(FileVerb.Write, PathOf(file)) { Bytes = bytes.ToArray(), Offset = offset });
        Current.Write(file, bytes, offset);
        After?.Invoke(operation);
    }

    public override bool TryWriteDirect(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        DirectWrites.Add((bytes.Length, offset));
        if (RefusesDirect)
            return false;
        var operation = Enter(new(FileVerb.Write, PathOf(file)));
        var written = Current.TryWriteDirect(file, bytes, offset);
        After?.Invoke(written ? operation with { Bytes = bytes.ToArray(), Offset = offset } : operation);
        return written;
    }

    public override bool? IsAt(SafeFileHandle file, string path) => Current.IsAt(file, path);

    // The medium is not waited for: no test takes its power away.
    public override void Flush(SafeFileHandle file) => Do(new(FileVerb.Flush, PathOf(file)), () => { });

    public override void TryFlush(string path) => Do(new(FileVerb.Flush, path), () => { });

    public override SafeFileHandle? OpenRead(string path) => Do(new(FileVerb.OpenRead, path), () =>
    {
        var file = Current.OpenRead(path);
        if (file is not null)
            _paths[file] = path;
        return file;
    });

    public override SafeFileHandle? OpenLocked(string path) => Do(new(FileVerb.OpenLocked, path), () =>
    {
        var file = Current.OpenLocked(path);
        if (file is not null)
            _paths[file] = path;
        return file;
    });

    public override SafeFileHandle OpenShared(string path) => Do(new(FileVerb.OpenShared, path), () =>
    {
        var file = Current.OpenShared(path);
        _paths[file] = path;
        return file;
    });

    public override int Read(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        var operation = Enter(new(FileVerb.Read, PathOf(file)));
        var read = Current.Read(file, buffer[..Math.Min(buffer.Length, MaxRead)], offset);
        After?.Invoke(operation);
        return read;
    }

    public override void Delete(string path) => Do(new(FileVerb.Delete, path), () => Current.Delete(path));

    public override bool TryDeleteEmptyDirectory(string path) => Do(new(FileVerb.DeleteDirectory, path), () => Current.TryDeleteEmptyDirectory(path));

    public override long? Length(string path) => Do(new(FileVerb.Length, path), () => Current.Length(path));

    public override FileStamp? Stamp(string path) => Do(new(FileVerb.Stamp, path), () => StampAnswer ?? Current.Stamp(path));

    public override EntryStatus? Status(string path) => Do(new(FileVerb.Status, path), () => Current.Status(path));

    public override DateTime LastWrite(string path) => Do(new(FileVerb.LastWrite, path), () => StampAnswer?.Time ?? Current.LastWrite(path));

    public override bool DirectoryExists(string path) => Do(new(FileVerb.DirectoryExists, path), () => Current.DirectoryExists(path));

    public override bool TryDeleteAbandoned(string path) => Do(new(FileVerb.DeleteAbandoned, path), () => Current.TryDeleteAbandoned(path));

    public override bool IsLocked(string path) => Do(new(FileVerb.IsLocked, path), () => Current.IsLocked(path));

    public override void Scan(string path, EntryVisitor visit) => Do(new(FileVerb.Scan, path), () => Current.Scan(path, (name, isDirectory) => visit(ScannedAs(name.ToString()), isDirectory)));

    private string PathOf(SafeFileHandle file) => _paths.GetValueOrDefault(file) ?? "(unknown)";

    private FileOperation Enter(FileOperation operation)
    {
        lock (_operations)
            _operations.Add(operation);
        Before?.Invoke(operation);
        return operation;
    }

    private T Do<T>(FileOperation operation, Func<T> action)
    {
        Enter(operation);
        var result = action();
        After?.Invoke(operation);
        return result;
    }

    private void Do(FileOperation operation, Action action) => Do(operation, () =>
    {
        action();
        return true;
    });

    private sealed class TestDirectory(TestFileSystem files, string path, DirectoryHandle inner) : DirectoryHandle
    {
        public override LockResult TryLock() => files.Do(new(FileVerb.LockDirectory, path), () => files.LockAnswer ?? inner.TryLock());

        public override async ValueTask<LockResult> LockAsync(TimeSpan patience, CancellationToken cancellation)
        {
            var result = TryLock();
            return result == LockResult.Busy && files.LockAnswer is null ? await inner.LockAsync(patience, cancellation) : result;
        }

        public override void Flush() => files.Do(new(FileVerb.FlushDirectory, path), () => { });

        public override void Dispose() => inner.Dispose();
    }
}
