using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>
/// One save into a stage's folder: write aside, flush, rename, flush the folder. The record's rename, which refuses a taken name, is the one moment at which
/// the checkpoint comes to be; a step can so never be saved twice, whoever else writes.
/// </summary>
internal sealed class FolderCommit : IDisposable
{
    // How long to wait for other writers of the stage before going on without the lock: the rename alone keeps steps apart.
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);

    // How often a folder may vanish under a save (Clear-Checkpoint removes empty ones) or another writer take the step first.
    private const int Attempts = 1000;

    private readonly string _root;
    private readonly string _folder;
    private readonly FileSystem _files;
    private readonly CheckpointDraft _draft;
    private readonly bool _replaces;
    private readonly bool _mayTidy;
    private readonly FolderLeases _leases;
    private readonly List<IDisposable> _open = [];
    private string? _flushTop;
    private bool _isNew;
    private long _taken;
    private readonly List<string> _unfinished = [];

    /// <param name="root">The store's folder.</param>
    /// <param name="files">The file system.</param>
    /// <param name="draft">What is saved.</param>
    /// <param name="mayTidy">Whether to look thoroughly for what dead writers left, also where the save itself need not list the folder.</param>
    /// <param name="time">The clock.</param>
    public FolderCommit(string root, FileSystem files, CheckpointDraft draft, bool mayTidy, TimeProvider time)
    {
        _leases = new FolderLeases(root, files, time);
        _mayTidy = mayTidy;
        _root = root;
        _files = files;
        _draft = draft;
        _folder = FolderLayout.StagePath(root, draft.Stage);
        // Only a step that the user named can be replaced; the next step is always a new one.
        _replaces = draft.Overwrite && draft.Step is not null;
    }

    public async ValueTask<CheckpointInfo> RunAsync(CancellationToken cancellation)
    {
        // Found out now, not after a gigabyte was written.
        if (_draft.Step is { } step)
            RequireFree(step);

        var (state, payload) = await WriteStateAsync(cancellation);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (await TryCommitAsync(state, payload, cancellation) is { } saved)
                    return saved;
            }
            catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException && attempt < Attempts && payload is null)
            {
                // The folder was empty and was cleared away by another process.
            }
            if (attempt >= Attempts)
                throw new IOException("other processes took every step that was tried");
        }
    }

    public void Dispose()
    {
        foreach (var open in _open)
            open.Dispose();
        // Backwards, so that a record goes before the payload it refers to.
        foreach (var path in Enumerable.Reverse(_unfinished))
        {
            try
            {
                if (!IsPublished(path))
                    _files.Delete(path);
            }
            catch (Exception e) when (IOErrors.IsFault(e))
            {
                // A later save removes it.
            }
        }
    }

    // On a network share a rename may be done and yet report an error: then the record is there, and its payload is no leftover.
    private bool IsPublished(string path)
    {
        var name = Path.GetFileName(path);
        return FolderLayout.Classify(name) is { Kind: FolderEntryKind.Payload } payload && new FolderLeftovers(_files, _folder).IsReferenced(payload.Step, name);
    }

    private void RequireFree(long step)
    {
        var path = RecordPath(step);
        if (!_replaces && _files.Length(path) is not null)
            throw CheckpointErrors.Exists(_draft.Stage, step, _root);
        if (_files.DirectoryExists(path))
            throw new IOException($"'{path}' is a folder and has the name of the record; move it away, or name another step");
    }

    private string RecordPath(long step) => Path.Join(_folder, FolderLayout.RecordName(step));

    /// <summary>Writes the state, to a temporary payload where it does not go into the record, and flushes that.</summary>
    private async ValueTask<(StoredState? State, TemporaryFile? Payload)> WriteStateAsync(CancellationToken cancellation)
    {
        if (_draft.State is not { } source)
            return (null, null);
        TemporaryFile? payload = null;
        PayloadStream? stream = null;
        using var writer = new StateWriter(
            () =>
            {
                payload = CreateTemporary();
                return stream = new PayloadStream(_files, payload.Handle, leaveOpen: true) { MayBeDirect = source is CapturedState };
            },
            _draft.Progress);
        source.WriteTo(writer, cancellation);
        var state = writer.Complete(source.IsSequence, cancellation);
        if (stream is not null)
            await stream.FlushToDiskAsync(cancellation);
        return (state, payload);
    }

    /// <returns>Null where another writer took the step first.</returns>
    private async ValueTask<CheckpointInfo?> TryCommitAsync(StoredState? state, TemporaryFile? payload, CancellationToken cancellation)
    {
        // The temporary file keeps the folder from being removed, so the folder that is locked and flushed is the one it lies in.
        using var record = CreateTemporary();
        using var folder = _files.OpenDirectory(_folder);
        var locked = await folder.LockAsync(LockPatience, cancellation);
        if (locked == LockResult.Busy && payload is not null && !_files.LocksOutlastRenames)
            throw new IOException($"other processes have kept the stage busy for {LockPatience.TotalSeconds:0} seconds");
        cancellation.ThrowIfCancellationRequested();

        var listing = _draft.Step is null || _replaces || _mayTidy ? StageFolder.List(_files, _folder) : null;
        var step = _draft.Step ?? NextStep(listing!);
        // In a new folder: another process may have made it, and not have flushed it yet.
        if (_flushTop is not null || listing is { Steps.Count: 0 })
            FolderTree.FlushAbove(_files, _folder, Shorter(_flushTop, Path.GetDirectoryName(_root) ?? _root));
        if (payload is not null)
        {
            var name = FolderLayout.NewPayloadName(step);
            Rename(payload, name);
            folder.Flush();
            state = state!.Named(name);
        }

        var info = _draft.Describe(_root, RecordPath(step), step, state);
        info.Encryption = _draft.Close?.Invoke(info);
        var bytes = RecordFormat.Serialize(info, RecordReader.OutputRoot(_root));
        info.Revision = SealedJson.ChecksumOf(bytes);
        _files.Write(record.Handle, bytes, 0);
        _files.Flush(record.Handle);
        cancellation.ThrowIfCancellationRequested();
        if (!await PublishAsync(record, step, isThere: _replaces && listing!.Steps.Contains(step), cancellation))
        {
            if (_draft.Step is not null)
                throw CheckpointErrors.Exists(_draft.Stage, step, _root);
            // Also where what has the name is no record, but a folder, or, to a file system that ignores case, another file: the next step is above it.
            _taken = step;
            Discard(record);
            return null;
        }
        _unfinished.Remove(record.Path);
        if (!_isNew && payload is not null)
            _unfinished.Remove(payload.Path);
        Confirm(folder, info);
        if (payload is not null)
            _unfinished.Remove(payload.Path);
        if (locked == LockResult.Taken && listing is not null)
            new FolderLeftovers(_files, _folder).RemoveAfterSave(listing, step, state?.Payload, _mayTidy, cancellation);
        return info;
    }

    private static string Shorter(string? a, string b) => a is not null && a.Length < b.Length ? a : b;

    private long NextStep(StageFolder listing)
    {
        var latest = Math.Max(listing.Latest ?? 0, _taken);
        return latest < long.MaxValue ? latest + 1
            : throw CheckpointErrors.Unusable(_root, $"checkpoint {_draft.Stage} has the highest step there can be; clear it or name a step");
    }

    private async ValueTask<bool> PublishAsync(TemporaryFile record, long step, bool isThere, CancellationToken cancellation)
    {
        using var hold = _draft.Fence is { } fence ? await _leases.HoldAsync(fence, cancellation) : null;
        var path = RecordPath(step);
        _isNew = !isThere && _files.TryRenameNew(record.Handle, record.Path, path);
        if (!_isNew && _replaces)
            _files.RenameOver(record.Handle, record.Path, path);
        return _isNew || _replaces;
    }

    // Only now is the save true. A new record that may not outlast a power cut is taken back, so that the error is the whole truth;
    // an overwritten one has no old record to go back to.
    private void Confirm(DirectoryHandle folder, CheckpointInfo info)
    {
        try
        {
            folder.Flush();
        }
        catch (Exception e) when (_isNew && IOErrors.IsFault(e))
        {
            _unfinished.Add(info.Location);
            throw;
        }
    }

    private TemporaryFile CreateTemporary()
    {
        for (var attempt = 1; ; attempt++)
        {
            var path = Path.Join(_folder, FolderLayout.NewTemporaryName());
            try
            {
                var file = new TemporaryFile(_files.CreateFile(path), path);
                _open.Add(file);
                _unfinished.Add(path);
                return file;
            }
            catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException && attempt < Attempts)
            {
                // FileNotFoundException where the folder came to be while .NET looked for the reason.
                CreateFolder(isLast: attempt == Attempts - 1);
            }
        }
    }

    private void CreateFolder(bool isLast)
    {
        try
        {
            var existing = FolderTree.Create(_files, _folder);
            if (_flushTop is null || existing.Length < _flushTop.Length)
                _flushTop = existing;
        }
        catch (DirectoryNotFoundException) when (!isLast)
        {
            // Another process cleared what was empty above it.
        }
    }

    private void Rename(TemporaryFile payload, string name)
    {
        var path = Path.Join(_folder, name);
        _unfinished.Add(path);
        if (!_files.TryRenameNew(payload.Handle, payload.Path, path))
            throw new IOException($"'{path}' is there already");
        _unfinished.Remove(payload.Path);
        payload.Path = path;
    }

    private void Discard(TemporaryFile file)
    {
        file.Dispose();
        _files.Delete(file.Path);
        _unfinished.Remove(file.Path);
    }

    private sealed class TemporaryFile(SafeFileHandle handle, string path) : IDisposable
    {
        public SafeFileHandle Handle { get; } = handle;

        public string Path { get; set; } = path;

        public void Dispose() => Handle.Dispose();
    }
}
