namespace Checkpoint.Tests;

/// <summary>
/// The disk at the moment when the power goes: what was durable, and what was not yet and may each be there or not. The model is the weakest that POSIX allows, as in
/// Pillai et al., All File Systems Are Not Created Equal (OSDI 2014, ALICE) and Mohan et al., Finding Crash-Consistency Bugs with Bounded Black-Box Crash Testing (OSDI 2018,
/// CrashMonkey): of a file that was not flushed, each sector of 512 bytes and the length are old or new, and what lies beyond the old length may be zeros; of a folder that was
/// not flushed, each change is there or not, in any order but that of the changes of one name; a rename is there for both its names or for none, and one between folders may leave the old name too.
/// </summary>
internal sealed class PowerCut
{
    private const int Sector = 512, Page = 4096;

    private readonly DiskNode _root;
    private readonly DiskImage _durable;
    private readonly List<EntryChange[]> _changes = [];
    private readonly SortedDictionary<int, (DiskNode File, byte[] Content)> _contents = [];

    /// <param name="disk">What happened.</param>
    /// <param name="moment">How many events had happened.</param>
    /// <param name="ignored">The index of a flush that did nothing, or -1.</param>
    public PowerCut(DiskRecorder disk, int moment, int ignored = -1)
    {
        (_root, _durable, Moment) = (disk.Root, disk.Start.Copy(), moment);
        for (var i = 0; i < moment; i++)
        {
            switch (disk.Events[i])
            {
                case DiskEvent.Entries entries:
                    _changes.Add(entries.Changes);
                    break;
                case DiskEvent.Write write:
                    Write(write);
                    break;
                case DiskEvent.Flush flush when i != ignored:
                    Flush(flush.Node);
                    break;
                case DiskEvent.Acknowledged:
                    Acknowledged++;
                    break;
            }
        }
    }

    public int Moment { get; }

    /// <summary>How much of the work the caller was told to be done.</summary>
    public int Acknowledged { get; }

    /// <summary>How many outcomes there are, if every file is all old, all new or zeros; more than a million are told as so many.</summary>
    public int Whole => _changes.Count > 18 ? 1_000_000 : 3 << _changes.Count;

    /// <summary>One of the outcomes that <see cref="Whole"/> counts.</summary>
    public DiskImage Outcome(int number) => Outcome(change => (number / 3 >> change & 1) != 0, (old, content) => (number % 3) switch
    {
        0 => old,
        1 => content,
        _ => Torn(old, content, content.Length, Sector, _ => false),
    });

    /// <summary>One of all outcomes.</summary>
    public DiskImage Outcome(Random random)
    {
        var likelihood = random.NextDouble();
        return Outcome(_ => random.NextDouble() < likelihood, (old, content) =>
        {
            var block = random.Next(2) == 0 ? Sector : Page;
            var length = random.Next(4) switch { 0 => old.Length, 1 => random.Next(Math.Max(old.Length, content.Length) + 1) / block * block, _ => content.Length };
            var prefix = random.Next(3) == 0 ? random.Next(content.Length + 1) : -1;
            return random.Next(6) switch
            {
                0 => old,
                1 => content,
                _ => Torn(old, content, Math.Max(old.Length, length), block, at => prefix < 0 ? random.Next(2) == 0 : at < prefix),
            };
        });
    }

    private void Write(DiskEvent.Write write)
    {
        var old = _contents.TryGetValue(write.File.Id, out var pending) ? pending.Content : _durable.Files[write.File];
        var content = new byte[Math.Max(old.Length, write.Offset + write.Bytes.Length)];
        old.CopyTo(content, 0);
        write.Bytes.CopyTo(content, write.Offset);
        _contents[write.File.Id] = (write.File, content);
    }

    private void Flush(DiskNode node)
    {
        if (_contents.Remove(node.Id, out var pending))
            _durable.Files[node] = pending.Content;
        for (var i = 0; i < _changes.Count; i++)
        {
            if (!_changes[i].Any(e => e.Folder == node))
                continue;
            // Of what came here from another folder, that its old name is gone is durable with that folder alone.
            var isArrival = _changes[i] is [{ Child: null } source, _] && source.Folder != node;
            _durable.Apply(isArrival ? _changes[i][1..] : _changes[i]);
            _changes[i] = isArrival ? _changes[i][..1] : [];
        }
        _changes.RemoveAll(c => c.Length == 0);
    }

    private DiskImage Outcome(Func<int, bool> isKept, Func<byte[], byte[], byte[]> tear)
    {
        var image = _durable.Copy();
        var lost = new HashSet<(DiskNode, string)>();
        for (var i = 0; i < _changes.Count; i++)
        {
            // What a name became later cannot be there without what it was before.
            if (isKept(i) && !_changes[i].Any(c => lost.Contains((c.Folder, c.Name))))
                image.Apply(_changes[i]);
            else
                lost.UnionWith(_changes[i].Select(c => (c.Folder, c.Name)));
        }
        foreach (var (file, content) in _contents.Values)
            image.Files[file] = tear(_durable.Files[file], content);
        return image;
    }

    private static byte[] Torn(byte[] old, byte[] content, int length, int block, Func<int, bool> isNew)
    {
        var torn = new byte[length];
        old.AsSpan(0, Math.Min(old.Length, length)).CopyTo(torn);
        for (var at = 0; at < Math.Min(length, content.Length); at += block)
        {
            if (isNew(at))
                content.AsSpan(at, Math.Min(block, Math.Min(length, content.Length) - at)).CopyTo(torn.AsSpan(at));
        }
        return torn;
    }

    /// <summary>The hash of an outcome as it can be found from the top.</summary>
    public UInt128 Hash(DiskImage image) => image.Hash(_root);

    public void Materialise(DiskImage image, string path) => image.Materialise(_root, path);
}
