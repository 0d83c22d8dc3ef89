using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Checkpoint;

/// <summary>Checkpoints in a folder: a folder per pipeline and stage, a JSON record per step, a payload beside it where the state is large. See docs/format.md.</summary>
internal sealed class FolderStore : CheckpointStore
{
    private const int MaxTidied = 4096;

    private static readonly TimeSpan TidyPause = TimeSpan.FromMinutes(1);

    private readonly string _root;
    private readonly FileSystem _files;
    private readonly StageCache _cache;
    private readonly FolderSearch _search;
    private readonly FolderStages _stages;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<StageId, (long Time, string Record)> _tidied = new();

    /// <param name="root">The folder, as a full path. It need not exist.</param>
    /// <param name="files">The file system.</param>
    /// <param name="time">The clock for what must not be trusted while it is new.</param>
    public FolderStore(string root, FileSystem? files = null, TimeProvider? time = null)
    {
        _root = Path.TrimEndingDirectorySeparator(root);
        _files = files ?? FileSystem.Current;
        _search = new FolderSearch(_root, _files);
        _stages = new FolderStages(_root, _files);
        _time = time ?? TimeProvider.System;
        _cache = new StageCache(_files, _time);
    }

    public override string Location => _root;

    // A folder with nothing in it may be the place of a share that is not mounted.
    public override bool IsThere => Directory.Exists(_root) ? Directory.EnumerateFileSystemEntries(_root).Any() : File.Exists(_root);

    public override async ValueTask<CheckpointInfo> SaveAsync(CheckpointDraft draft, CancellationToken cancellation)
    {
        var isSaved = false;
        try
        {
            Plain(FolderLayout.StagePath(_root, draft.Stage));
            var tidied = LastTidied(draft);
            using var commit = new FolderCommit(_root, _files, draft, mayTidy: tidied is null, _time);
            var saved = await commit.RunAsync(cancellation);
            isSaved = true;
            _tidied[draft.Stage] = (tidied ?? _time.GetTimestamp(), saved.Location);
            return saved;
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Saving checkpoint {draft.Stage}", draft.Stage.Name);
        }
        catch (StoreFaultException e)
        {
            throw CheckpointErrors.FromDriver(e, _root, $"Saving checkpoint {draft.Stage}", draft.Stage.Name);
        }
        finally
        {
            _cache.Forget(FolderLayout.StagePath(_root, draft.Stage), isSaved);
        }
    }

    public override async ValueTask<bool> ReplaceEncryptionAsync(CheckpointInfo checkpoint, Envelope encryption, CancellationToken cancellation)
    {
        try
        {
            return await new FolderEncryption(_files, checkpoint).ReplaceAsync(encryption, cancellation);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Changing the key of checkpoint {checkpoint.StageId}", checkpoint.Name);
        }
        finally
        {
            _cache.Forget(Path.GetDirectoryName(checkpoint.Location)!);
        }
    }

    public override ValueTask<StageListing?> FindAsync(StageId stage, CancellationToken cancellation) =>
        Find(stage, path => _stages.Read(path, stage, cancellation) ?? (File.Exists(_root) ? throw NoFolder() : null));

    public override ValueTask<StageListing?> RecallAsync(StageId stage, CancellationToken cancellation) =>
        Find(stage, path => _cache.Get(path, () => _stages.Read(path, stage, cancellation)));

    private CheckpointException NoFolder() => CheckpointErrors.Unusable(_root, "it is a file");

    private ValueTask<StageListing?> Find(StageId stage, Func<string, StageListing?> find)
    {
        try
        {
            return new(find(FolderLayout.StagePath(_root, stage)));
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Reading checkpoint {stage}", stage.Name);
        }
    }

    public override async IAsyncEnumerable<StageListing> ListAsync(StageQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        if (File.Exists(_root))
            throw NoFolder();
        foreach (var listing in _stages.List(query, cancellation))
            yield return listing;
    }

    public override ValueTask<CheckpointReading> ReadAsync(StageId stage, long step, CancellationToken cancellation)
    {
        try
        {
            return new(_stages.Read(Plain(FolderLayout.StagePath(_root, stage)), stage, step, cancellation));
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Reading checkpoint {stage}", stage.Name);
        }
    }

    public override ValueTask<StateReader> OpenStateAsync(CheckpointInfo checkpoint, Action<long>? progress, CancellationToken cancellation)
    {
        var state = checkpoint.State!;
        if (state.Payload is null)
            return new(new StateReader(state, null));
        var path = Path.Join(Path.GetDirectoryName(checkpoint.Location), state.Payload);
        try
        {
            Plain(Path.GetDirectoryName(path)!);
            var file = _files.OpenRead(path) ?? throw CheckpointErrors.Damaged(checkpoint.StageId, checkpoint.Step, path, "its payload is missing");
            return new(new StateReader(state, new PayloadStream(_files, file), progress));
        }
        catch (ForeignFileException e)
        {
            throw CheckpointErrors.Damaged(checkpoint.StageId, checkpoint.Step, path, "its payload " + e.What, e);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Reading checkpoint {checkpoint.StageId}", checkpoint.Name);
        }
    }

    public override async ValueTask<int> RemoveAsync(StageId stage, IReadOnlyCollection<DoomedStep>? steps, LeaseFence? held, CancellationToken cancellation)
    {
        try
        {
            return await new FolderRemoval(_root, _files, _time, stage, Plain(FolderLayout.StagePath(_root, stage))).RemoveAsync(steps, held, cancellation);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Clearing checkpoint {stage}", stage.Name);
        }
        catch (StoreFaultException e)
        {
            throw CheckpointErrors.FromDriver(e, _root, $"Clearing checkpoint {stage}", stage.Name);
        }
        finally
        {
            _cache.Forget(FolderLayout.StagePath(_root, stage));
        }
    }

    public override async ValueTask AppendHistoryAsync(string pipeline, IReadOnlyList<CheckpointEvent> events, CancellationToken cancellation)
    {
        try
        {
            await new FolderHistory(_root, _files).AppendAsync(FolderLayout.RunPath(_root, pipeline, null), events, cancellation);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Writing the history of pipeline '{pipeline}'", pipeline);
        }
    }

    public override async IAsyncEnumerable<CheckpointEvent> ReadHistoryAsync(NamePattern pipeline, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        if (File.Exists(_root))
            throw NoFolder();
        var history = new FolderHistory(_root, _files);
        foreach (var folder in _search.Folders(_root, pipeline))
        {
            foreach (var entry in Guarded(history.Read(folder), "Reading the history", folder))
            {
                cancellation.ThrowIfCancellationRequested();
                if (FolderSearch.Fits(pipeline, entry.Pipeline))
                    yield return entry;
            }
        }
    }

    public override ValueTask<ItemLog> OpenItemsAsync(StageId stage, Lease? worker, CancellationToken cancellation) => new(new FolderItems(_root, _files, stage, worker, _time));

    public override ValueTask<ItemLog> ReadItemsAsync(StageId stage, CancellationToken cancellation) => new(FolderItems.ForReading(_root, _files, stage));

    public override ValueTask WriteRunAsync(CheckpointRun run, CancellationToken cancellation)
    {
        try
        {
            new FolderRuns(_root, _files).Write(run);
            return default;
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Writing the record of run '{run.Run}'", run.Run);
        }
    }

    public override async IAsyncEnumerable<RunReading> ListRunsAsync(NamePattern pipeline, NamePattern run, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        if (File.Exists(_root))
            throw NoFolder();
        foreach (var pipelineFolder in _search.Folders(_root, pipeline))
        {
            var parent = FolderLayout.RunsPath(_root, pipelineFolder);
            foreach (var folder in _search.Folders(parent, run))
            {
                cancellation.ThrowIfCancellationRequested();
                var reading = ReadRun(Path.Join(parent, folder));
                if (reading.Fault is not null || (reading.Run is { } found && FolderSearch.Fits(pipeline, found.Pipeline) && FolderSearch.Fits(run, found.Run)))
                    yield return reading;
            }
        }
    }

    public override ValueTask<byte[]?> ReadDocumentAsync(DocumentName document, CancellationToken cancellation)
    {
        try
        {
            return new(_files.ReadRecord(Path.Join(Plain(FolderLayout.DocumentsPath(_root, document)), FolderLayout.DocumentFileName(document))));
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Reading {document}", document.Name);
        }
    }

    public override ValueTask WriteDocumentAsync(DocumentName document, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        try
        {
            WholeFile.Replace(_files, Plain(FolderLayout.DocumentsPath(_root, document)), FolderLayout.DocumentFileName(document), bytes);
            return default;
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Writing {document}", document.Name);
        }
    }

    public override async ValueTask<LeaseAttempt> TryLeaseAsync(LeaseName lease, LeaseHolder holder, TimeSpan? duration, CancellationToken cancellation)
    {
        try
        {
            return await new FolderLeases(_root, _files, _time).TryTakeAsync(lease, holder, duration, cancellation);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Taking the lease of {lease}", lease.Name ?? lease.Run ?? lease.Pipeline);
        }
    }

    public override ValueTask<LeaseHolder?> FindLeaseAsync(LeaseName lease, CancellationToken cancellation)
    {
        try
        {
            return new(new FolderLeases(_root, _files, _time).Find(lease));
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Looking at the lease of {lease}", lease.Name ?? lease.Run ?? lease.Pipeline);
        }
    }

    public override IAsyncEnumerable<StoreFinding> VerifyAsync(StoreScope scope, Action<long, long>? progress, CancellationToken cancellation) =>
        File.Exists(_root) ? throw NoFolder() : new FolderVerifier(_root, _files, _time, scope.Key).VerifyAsync(scope, progress, cancellation);

    public override async ValueTask<StoreFinding?> RepairAsync(StoreFinding finding, string quarantine, CheckpointKey? key, CancellationToken cancellation)
    {
        try
        {
            return await new FolderRepair(_root, _files, _time, quarantine, key).RepairAsync(finding, cancellation);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Repairing '{finding.Location}'", finding.Location);
        }
        finally
        {
            if (Path.GetDirectoryName(finding.Location) is { } folder)
                _cache.Forget(folder);
        }
    }

    private RunReading ReadRun(string folder)
    {
        try
        {
            return new RunReading(new FolderRuns(_root, _files).Read(folder), null);
        }
        catch (CheckpointException e)
        {
            return new RunReading(null, e);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            // The others are not hidden by it.
            return new RunReading(null, CheckpointErrors.FromIO(e, _root, $"Reading the run '{Path.GetFileName(folder)}'", Path.GetFileName(folder)));
        }
    }

    private IEnumerable<T> Guarded<T>(IEnumerable<T> items, string doing, string target)
    {
        using var enumerator = items.GetEnumerator();
        while (true)
        {
            try
            {
                if (!enumerator.MoveNext())
                    yield break;
            }
            catch (Exception e) when (IOErrors.IsFault(e))
            {
                throw CheckpointErrors.FromIO(e, _root, doing, target);
            }
            yield return enumerator.Current;
        }
    }

    // A loop that names its steps need not list the folder for each; dead writers are looked for once a minute. Where the record saved last is gone, the
    // folder may be another one, made by a process that has not yet flushed what lies above it.
    private long? LastTidied(CheckpointDraft draft)
    {
        if (_tidied.TryGetValue(draft.Stage, out var last) && _time.GetElapsedTime(last.Time) < TidyPause && (draft.Step is null || _files.Length(last.Record) is not null))
            return last.Time;
        if (_tidied.Count > MaxTidied)
            _tidied.Clear();
        return null;
    }

    // A folder of the store that is reached through no link.
    private string Plain(string folder)
    {
        FileSystem.RefuseLinks(folder, _root);
        return folder;
    }
}
