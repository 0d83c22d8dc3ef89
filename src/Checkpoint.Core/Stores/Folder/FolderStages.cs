namespace Checkpoint;

/// <summary>The stages of a folder store as a reader finds them, beside writers and through no link.</summary>
/// <param name="root">The store's folder.</param>
/// <param name="files">The file system.</param>
internal sealed class FolderStages(string root, FileSystem files)
{
    // How often a reader looks again when the newest record is removed under its eyes.
    private const int ReadAttempts = 100;

    private readonly FolderSearch _search = new(root, files);
    private readonly RecordReader _records = new(root, files);

    /// <summary>Lists the stages that fit. What is wrong with one of them is told of that one alone.</summary>
    public IEnumerable<StageListing> List(StageQuery query, CancellationToken cancellation)
    {
        foreach (var pipeline in _search.Folders(root, query.Pipeline))
        {
            IEnumerable<string?> runs = query.Run is null ? Enumerable.Repeat<string?>(null, 1) : _search.Folders(FolderLayout.RunsPath(root, pipeline), query.Run);
            foreach (var run in runs)
            {
                var parent = FolderLayout.StagesPath(root, pipeline, run);
                foreach (var stage in _search.Folders(parent, query.Name))
                {
                    cancellation.ThrowIfCancellationRequested();
                    if (ListStage(query, parent, pipeline, run, stage, cancellation) is { } listing)
                        yield return listing;
                }
            }
        }
    }

    /// <summary>Reads the folder of a stage; null where it has no checkpoint.</summary>
    public StageListing? Read(string path, StageId stage, CancellationToken cancellation)
    {
        FileSystem.RefuseLinks(path, root);
        for (var attempt = 1; ; attempt++)
        {
            var folder = StageFolder.List(files, path);
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
            return new StageListing(id, folder.Steps[read..], newest) { FindItems = () => folder.Items.Count > 0 };
        }
    }

    /// <summary>Reads one record in the folder of a stage.</summary>
    public CheckpointReading Read(string folder, StageId stage, long step, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return _records.Read(folder, stage, step);
    }

    private StageListing? ListStage(StageQuery query, string parent, string pipelineFolder, string? runFolder, string folder, CancellationToken cancellation)
    {
        var pipeline = query.Pipeline.Literal ?? FolderLayout.Unescape(pipelineFolder);
        var run = runFolder is null ? null : query.Run!.Literal ?? FolderLayout.Unescape(runFolder);
        var name = query.Name.Literal ?? FolderLayout.Unescape(folder);
        var stage = new StageId(pipeline ?? pipelineFolder, runFolder is null ? null : run ?? runFolder, name ?? folder) { Locator = Path.Join(parent, folder) };
        try
        {
            if ((Read(stage.Locator, stage, cancellation) ?? (query.WithLeftovers ? FindLeftovers(stage) : null)) is not { } listing)
                return null;
            // Where a folder's name was cut, only a record or a journal of items tells the whole one.
            var isKnown = pipeline is not null && name is not null && (runFolder is null || run is not null);
            if (!isKnown && (FindIntact(listing, cancellation)?.StageId ?? (listing.HasItems ? FolderItems.OwnerOf(root, files, stage.Locator) : null)) is { } known)
            {
                (pipeline, run, name) = (known.Pipeline, known.Run, known.Name);
                listing = listing with { Stage = new StageId(pipeline, run, name) { Locator = stage.Locator } };
            }
            return FolderSearch.Fits(query.Pipeline, pipeline) && (query.Run is null || FolderSearch.Fits(query.Run, run)) && FolderSearch.Fits(query.Name, name) ? listing : null;
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            // The others are not hidden by it.
            return new StageListing(stage, [], new CheckpointReading(CheckpointErrors.FromIO(e, root, $"Reading checkpoint {stage}", stage.Name)));
        }
    }

    private StageListing? FindLeftovers(StageId stage)
    {
        var folder = StageFolder.List(files, stage.Locator!);
        return folder.Steps.Count == 0 && folder.Temporaries.Count + folder.Payloads.Count + folder.Items.Count > 0 ? new StageListing(stage, [], default) { FindItems = () => folder.Items.Count > 0 } : null;
    }

    private CheckpointInfo? FindIntact(StageListing listing, CancellationToken cancellation) =>
        listing.Newest.Info ?? listing.Steps.Skip(1).Select(step => Read(listing.Stage.Locator!, listing.Stage, step, cancellation).Info).FirstOrDefault(info => info is not null);
}
