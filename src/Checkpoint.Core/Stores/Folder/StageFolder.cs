namespace Checkpoint;

/// <summary>What lies in a stage's folder at one moment.</summary>
internal sealed class StageFolder
{
    private readonly List<(long Step, string Name)> _payloads = [];
    private ILookup<long, string>? _payloadsByStep;

    private StageFolder(string path) => Path = path;

    public string Path { get; }

    /// <summary>The steps that have a record, newest first.</summary>
    public List<long> Steps { get; } = [];

    /// <summary>The names of files that are being written, or were when their writer died.</summary>
    public List<string> Temporaries { get; } = [];

    public long? Latest => Steps.Count == 0 ? null : Steps[0];

    /// <summary>Lists a folder; one that is not there is empty.</summary>
    public static StageFolder List(FileSystem files, string path)
    {
        var folder = new StageFolder(path);
        var sorted = true;
        foreach (var (entry, name) in files.List(path,
            static (ref System.IO.Enumeration.FileSystemEntry e) =>
            {
                var entry = FolderLayout.Classify(e.FileName);
                return (entry, entry.Kind is FolderEntryKind.Payload or FolderEntryKind.Temporary ? e.FileName.ToString() : "");
            },
            static (ref System.IO.Enumeration.FileSystemEntry e) => !e.IsDirectory))
        {
            switch (entry.Kind)
            {
                case FolderEntryKind.Record:
                    sorted &= folder.Steps.Count == 0 || folder.Steps[^1] > entry.Step;
                    folder.Steps.Add(entry.Step);
                    break;
                case FolderEntryKind.Payload:
                    folder._payloads.Add((entry.Step, name));
                    break;
                case FolderEntryKind.Temporary:
                    folder.Temporaries.Add(name);
                    break;
            }
        }
        if (!sorted)
            folder.Steps.Sort(static (a, b) => b.CompareTo(a));
        return folder;
    }

    /// <summary>The payloads of a step; more than one where an overwrite was cut off, or is under way.</summary>
    public IEnumerable<string> PayloadsOf(long step)
    {
        _payloadsByStep ??= _payloads.ToLookup(p => p.Step, p => p.Name);
        return _payloadsByStep[step];
    }

    /// <summary>The payloads that may be nobody's: those of a step without a record, or with more than one payload.</summary>
    public IEnumerable<(long Step, string Name)> DoubtfulPayloads()
    {
        if (_payloads.Count == 0)
            return [];
        var recorded = Steps.ToHashSet();
        return _payloads.GroupBy(p => p.Step).Where(g => !recorded.Contains(g.Key) || g.Count() > 1).SelectMany(g => g);
    }
}
