using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Checkpoint;

/// <summary>Checkpoints in a folder: a folder per pipeline and stage, a JSON record per step, a payload beside it where the state is large. See docs/format.md.</summary>
internal sealed class FolderStore : CheckpointStore
{
    // How often a reader looks again when the newest record is removed under its eyes.
    private const int ReadAttempts = 100;

    private const int MaxTidied = 4096;

    private static readonly TimeSpan TidyPause = TimeSpan.FromMinutes(1);

    private readonly string _root;
    private readonly FileSystem _files;
    private readonly StageCache _cache;
    private readonly RecordReader _records;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<StageId, (long Time, string Record)> _tidied = new();

    /// <param name="root">The folder, as a full path. It need not exist.</param>
    /// <param name="files">The file system.</param>
    /// <param name="time">The clock for what must not be trusted while it is new.</param>
    public FolderStore(string root, FileSystem? files = null, TimeProvider? time = null)
    {
        _root = Path.TrimEndingDirectorySeparator(root);
        _files = files ?? FileSystem.Current;
        _records = new RecordReader(_root, _files);
        _time = time ?? TimeProvider.System;
        _cache = new StageCache(_files, _time);
    }

    public override string Location => _root;

    public override async ValueTask<CheckpointInfo> SaveAsync(CheckpointDraft draft, CancellationToken cancellation)
    {
        var isSaved = false;
        try
        {
            Plain(FolderLayout.StagePath(_root, draft.Stage));
            var tidied = LastTidied(draft);
            using var commit = new FolderCommit(_root, _files, draft, mayTidy: tidied is null);
            var saved = await commit.RunAsync(cancellation);
            isSaved = true;
            _tidied[draft.Stage] = (tidied ?? _time.GetTimestamp(), saved.Location);
            return saved;
        }
        catch (Exception e) when (IsIO(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Saving checkpoint {draft.Stage}", draft.Stage.Name);
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
        catch (Exception e) when (IsIO(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Changing the key of checkpoint {checkpoint.StageId}", checkpoint.Name);
        }
        finally
        {
            _cache.Forget(Path.GetDirectoryName(checkpoint.Location)!);
        }
    }

    public override ValueTask<StageListing?> FindAsync(StageId stage, CancellationToken cancellation) =>
        Find(stage, path => ReadStage(path, stage, cancellation) ?? (File.Exists(_root) ? throw NoFolder() : null));

    public override ValueTask<StageListing?> RecallAsync(StageId stage, CancellationToken cancellation) =>
        Find(stage, path => _cache.Get(path, () => ReadStage(path, stage, cancellation)));

    private CheckpointException NoFolder() => CheckpointErrors.Unusable(_root, "it is a file");

    private ValueTask<StageListing?> Find(StageId stage, Func<string, StageListing?> find)
    {
        try
        {
            return new(find(FolderLayout.StagePath(_root, stage)));
        }
        catch (Exception e) when (IsIO(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Reading checkpoint {stage}", stage.Name);
        }
    }

    public override async IAsyncEnumerable<StageListing> ListAsync(StageQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        if (File.Exists(_root))
            throw NoFolder();
        foreach (var pipeline in Folders(_root, query.Pipeline))
        {
            IEnumerable<string?> runs = query.Run is null ? Enumerable.Repeat<string?>(null, 1) : Folders(FolderLayout.RunsPath(_root, pipeline), query.Run);
            foreach (var run in runs)
            {
                var parent = FolderLayout.StagesPath(_root, pipeline, run);
                foreach (var stage in Folders(parent, query.Name))
                {
                    cancellation.ThrowIfCancellationRequested();
                    if (ListStage(query, parent, pipeline, run, stage, cancellation) is { } listing)
                        yield return listing;
                }
            }
        }
    }

    public override ValueTask<CheckpointReading> ReadAsync(StageId stage, long step, CancellationToken cancellation)
    {
        try
        {
            return new(Read(Plain(FolderLayout.StagePath(_root, stage)), stage, step, cancellation));
        }
        catch (Exception e) when (IsIO(e))
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
        catch (Exception e) when (IsIO(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Reading checkpoint {checkpoint.StageId}", checkpoint.Name);
        }
    }

    public override async ValueTask<int> RemoveAsync(StageId stage, IReadOnlyCollection<DoomedStep>? steps, CancellationToken cancellation)
    {
        try
        {
            return await new FolderRemoval(_root, _files, _time, stage, Plain(FolderLayout.StagePath(_root, stage))).RemoveAsync(steps, cancellation);
        }
        catch (Exception e) when (IsIO(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Clearing checkpoint {stage}", stage.Name);
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
        catch (Exception e) when (IsIO(e))
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
        foreach (var folder in Folders(_root, pipeline))
        {
            foreach (var entry in Guarded(history.Read(folder), "Reading the history", folder))
            {
                cancellation.ThrowIfCancellationRequested();
                if (Fits(pipeline, entry.Pipeline))
                    yield return entry;
            }
        }
    }

    public override ValueTask<ItemLog> OpenItemsAsync(StageId stage, CancellationToken cancellation) => new(new FolderItems(_root, _files, stage));

    public override ValueTask WriteRunAsync(CheckpointRun run, CancellationToken cancellation)
    {
        try
        {
            new FolderRuns(_root, _files).Write(run);
            return default;
        }
        catch (Exception e) when (IsIO(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Writing the record of run '{run.Run}'", run.Run);
        }
    }

    public override async IAsyncEnumerable<RunReading> ListRunsAsync(NamePattern pipeline, NamePattern run, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        if (File.Exists(_root))
            throw NoFolder();
        foreach (var pipelineFolder in Folders(_root, pipeline))
        {
            var parent = FolderLayout.RunsPath(_root, pipelineFolder);
            foreach (var folder in Folders(parent, run))
            {
                cancellation.ThrowIfCancellationRequested();
                var reading = ReadRun(Path.Join(parent, folder));
                if (reading.Fault is not null || (reading.Run is { } found && Fits(pipeline, found.Pipeline) && Fits(run, found.Run)))
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
        catch (Exception e) when (IsIO(e))
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
        catch (Exception e) when (IsIO(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Writing {document}", document.Name);
        }
    }

    public override async ValueTask<LeaseAttempt> TryLeaseAsync(LeaseName lease, LeaseHolder holder, CancellationToken cancellation)
    {
        try
        {
            return await new FolderLeases(_root, _files).TryTakeAsync(lease, holder, cancellation);
        }
        catch (Exception e) when (IsIO(e))
        {
            throw CheckpointErrors.FromIO(e, _root, $"Taking the lease of {lease}", lease.Name ?? lease.Run ?? lease.Pipeline);
        }
    }

    public override ValueTask<LeaseHolder?> FindLeaseAsync(LeaseName lease, CancellationToken cancellation)
    {
        try
        {
            return new(new FolderLeases(_root, _files).Find(lease));
        }
        catch (Exception e) when (IsIO(e))
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
        catch (Exception e) when (IsIO(e))
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
        catch (Exception e) when (IsIO(e))
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
            catch (Exception e) when (IsIO(e))
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

    private static bool IsIO(Exception e) => e is IOException or UnauthorizedAccessException;

    private StageListing? ListStage(StageQuery query, string parent, string pipelineFolder, string? runFolder, string folder, CancellationToken cancellation)
    {
        var pipeline = query.Pipeline.Literal ?? FolderLayout.Unescape(pipelineFolder);
        var run = runFolder is null ? null : query.Run!.Literal ?? FolderLayout.Unescape(runFolder);
        var name = query.Name.Literal ?? FolderLayout.Unescape(folder);
        var stage = new StageId(pipeline ?? pipelineFolder, runFolder is null ? null : run ?? runFolder, name ?? folder) { Locator = Path.Join(parent, folder) };
        try
        {
            if ((ReadStage(stage.Locator, stage, cancellation) ?? (query.WithLeftovers ? FindLeftovers(stage) : null)) is not { } listing)
                return null;
            // Where a folder's name was cut, only a record or a journal of items tells the whole one.
            var isKnown = pipeline is not null && name is not null && (runFolder is null || run is not null);
            if (!isKnown && (FindIntact(listing, cancellation)?.StageId ?? (listing.HasItems ? FolderItems.OwnerOf(_root, _files, stage.Locator) : null)) is { } known)
            {
                (pipeline, run, name) = (known.Pipeline, known.Run, known.Name);
                listing = listing with { Stage = new StageId(pipeline, run, name) { Locator = stage.Locator } };
            }
            return Fits(query.Pipeline, pipeline) && (query.Run is null || Fits(query.Run, run)) && Fits(query.Name, name) ? listing : null;
        }
        catch (Exception e) when (IsIO(e))
        {
            // The others are not hidden by it.
            return new StageListing(stage, [], new CheckpointReading(CheckpointErrors.FromIO(e, _root, $"Reading checkpoint {stage}", stage.Name)));
        }
    }

    private StageListing? FindLeftovers(StageId stage)
    {
        var folder = StageFolder.List(_files, stage.Locator!);
        return folder.Steps.Count == 0 && folder.Temporaries.Count + folder.Payloads.Count + folder.Items.Count > 0 ? new StageListing(stage, [], default) { HasItems = folder.Items.Count > 0 } : null;
    }

    // The folder of a literal name was found by that name. A name that nothing tells any more fits only what means every name.
    private static bool Fits(NamePattern pattern, string? name) => pattern.Literal is not null || pattern.IsAny || (name is not null && pattern.IsMatch(name));

    private CheckpointInfo? FindIntact(StageListing listing, CancellationToken cancellation) =>
        listing.Newest.Info ?? listing.Steps.Skip(1).Select(step => Read(listing.Stage.Locator!, listing.Stage, step, cancellation).Info).FirstOrDefault(info => info is not null);

    private CheckpointReading Read(string folder, StageId stage, long step, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return _records.Read(folder, stage, step);
    }

    /// <summary>The names of the folders that can hold what is meant, in their order.</summary>
    private IEnumerable<string> Folders(string parent, NamePattern names)
    {
        try
        {
            // What is named is refused where it is a link; where all are meant, a link is foreign as any other thing that no writer made.
            if (names.Literal is { } literal)
                return [Path.GetFileName(Plain(Path.Join(parent, FolderLayout.Escape(literal))))];
            if (FileSystem.IsLink(parent))
                return [];
            var folders = new List<string>();
            _files.Scan(parent, (name, isDirectory) =>
            {
                if (isDirectory && FolderLayout.FoundName(name.ToString()) is { } folder)
                    folders.Add(folder);
            });
            // The key decides where it can be had from the folder's name; else the record will. A folder that is no name's is not ours.
            return folders.Distinct().Select(f => (Folder: f, Key: FolderLayout.Unescape(f)))
                .Where(f => f.Key is not null ? names.IsAny || names.IsMatch(f.Key) : FolderLayout.IsCut(f.Folder))
                .Where(f => !FileSystem.IsLink(Path.Join(parent, f.Folder)))
                .OrderBy(f => f.Key ?? f.Folder, StringComparer.Ordinal)
                .Select(f => f.Folder);
        }
        catch (Exception e) when (IsIO(e))
        {
            throw CheckpointErrors.FromIO(e, _root, "Listing checkpoints", parent);
        }
    }

    private StageListing? ReadStage(string path, StageId stage, CancellationToken cancellation)
    {
        Plain(path);
        for (var attempt = 1; ; attempt++)
        {
            var folder = StageFolder.List(_files, path);
            if (folder.Latest is not { } latest)
                return null;
            var newest = Read(path, stage, latest, cancellation);
            // Removed between listing and reading: look again, there may be a newer one.
            if (newest.IsMissing && attempt < ReadAttempts)
                continue;
            // Beside a writer that never rests, what is left of a listing is better than to say that there is nothing.
            var read = 0;
            while (newest.IsMissing && ++read < folder.Steps.Count)
                newest = Read(path, stage, folder.Steps[read], cancellation);
            if (newest.IsMissing)
                return null;
            var id = newest.Info is { } info ? new StageId(info.Pipeline, info.Run, info.Name) { Locator = path } : stage;
            return new StageListing(id, folder.Steps[read..], newest) { HasItems = folder.Items.Count > 0 };
        }
    }
}
