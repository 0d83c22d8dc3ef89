using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

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

    /// <summary>The names of the journal of items and of their outputs.</summary>
    public List<string> Items { get; } = [];

    public long? Latest => Steps.Count == 0 ? null : Steps[0];

    /// <summary>Lists a folder; one that is not there is empty.</summary>
    public static StageFolder List(FileSystem files, string path)
    {
        var folder = new StageFolder(path);
        files.Scan(path, folder.Add);
        // As ulong, for which the runtime brings the sort compiled. For long it is compiled at the first call, which takes longer than to sort 10,000 steps. None is below 0.
        var steps = MemoryMarshal.Cast<long, ulong>(CollectionsMarshal.AsSpan(folder.Steps));
        steps.Sort();
        steps.Reverse();
        return folder;
    }

    /// <summary>All payloads.</summary>
    public IReadOnlyList<(long Step, string Name)> Payloads => _payloads;

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

    // A stage may have many thousands of entries in the first call of a process: too many for code that is only optimised once it has run for a while.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Add(ReadOnlySpan<char> name, bool isDirectory)
    {
        if (isDirectory)
            return;
        var entry = FolderLayout.Classify(name);
        if (entry.Kind == FolderEntryKind.Record)
            Steps.Add(entry.Step);
        else if (entry.Kind == FolderEntryKind.Payload)
            _payloads.Add((entry.Step, name.ToString()));
        else if (entry.Kind == FolderEntryKind.Temporary)
            Temporaries.Add(name.ToString());
        else if (entry.Kind == FolderEntryKind.Items)
            Items.Add(name.ToString());
    }
}
