namespace Checkpoint.Tests;

/// <summary>Writes down what a store does to its disk, in terms of nodes and entries; what was there before is durable.</summary>
internal sealed class DiskRecorder
{
    private readonly string _root;
    private readonly Dictionary<string, DiskNode> _nodes = new(StringComparer.Ordinal);
    private readonly List<DiskEvent> _events = [];
    private int _last;

    /// <param name="root">A folder that is there. What lies outside it is not recorded.</param>
    /// <param name="files">Whose operations are recorded from now on.</param>
    public DiskRecorder(string root, TestFileSystem files)
    {
        _root = root;
        Root = Add(root, isFolder: true);
        foreach (var path in Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var node = Add(path, Directory.Exists(path));
            Start.Folders[Parent(path)][Path.GetFileName(path)] = node;
            if (!node.IsFolder)
                Start.Files[node] = File.ReadAllBytes(path);
        }
        files.After = operation =>
        {
            lock (_events)
                Record(operation);
        };
    }

    public DiskNode Root { get; }

    /// <summary>What was durable in the beginning.</summary>
    public DiskImage Start { get; } = new();

    public IReadOnlyList<DiskEvent> Events => _events;

    public void Acknowledge() => _events.Add(new DiskEvent.Acknowledged());

    /// <summary>What another program wrote, which flushes nothing.</summary>
    public void RecordForeign(string path, byte[] bytes)
    {
        RecordNew(path);
        _events.Add(new DiskEvent.Write(_nodes[path], 0, bytes));
    }

    private void Record(FileOperation operation)
    {
        var path = operation.Path;
        switch (operation.Verb)
        {
            case FileVerb.CreateDirectory or FileVerb.CreateFile or FileVerb.OpenLocked or FileVerb.OpenShared when !_nodes.ContainsKey(path) && Path.Exists(path):
                RecordNew(path);
                break;
            case FileVerb.RenameNew or FileVerb.RenameOver or FileVerb.Move when !Path.Exists(path):
                _nodes.Remove(path, out var renamed);
                _nodes[operation.Target!] = renamed!;
                _events.Add(new DiskEvent.Entries([Change(path, null), Change(operation.Target!, renamed)]));
                break;
            case FileVerb.Delete or FileVerb.DeleteAbandoned or FileVerb.DeleteDirectory when !Path.Exists(path) && _nodes.Remove(path):
                _events.Add(new DiskEvent.Entries([Change(path, null)]));
                break;
            case FileVerb.Write when _nodes.TryGetValue(path, out var written):
                _events.Add(new DiskEvent.Write(written, operation.Offset, operation.Bytes));
                break;
            case FileVerb.Flush or FileVerb.FlushDirectory when _nodes.TryGetValue(path, out var flushed):
                _events.Add(new DiskEvent.Flush(flushed, Path.GetRelativePath(_root, path).Replace(Path.DirectorySeparatorChar, '/')));
                break;
        }
    }

    private void RecordNew(string path)
    {
        var parent = Parent(path);
        _events.Add(new DiskEvent.Entries([new EntryChange(parent, Path.GetFileName(path), Add(path, Directory.Exists(path)))]));
    }

    private DiskNode Add(string path, bool isFolder)
    {
        var node = new DiskNode(++_last, isFolder);
        _nodes[path] = node;
        if (isFolder)
            Start.Folders[node] = new(StringComparer.Ordinal);
        else
            Start.Files[node] = [];
        return node;
    }

    private EntryChange Change(string path, DiskNode? child) => new(Parent(path), Path.GetFileName(path), child);

    private DiskNode Parent(string path) => _nodes[Path.GetDirectoryName(path)!];
}
