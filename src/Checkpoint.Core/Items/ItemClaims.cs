namespace Checkpoint;

/// <summary>Which items are in whose hands, by the lines of a journal in their order: all who read them come to the same.</summary>
internal sealed class ItemClaims
{
    private readonly Dictionary<int, long> _tokens = [];
    private readonly Dictionary<ItemId, int> _holders = [];

    /// <summary>Those who have items in their hands.</summary>
    public IReadOnlyCollection<int> Workers => [.. _holders.Values.Distinct()];

    /// <summary>Who has an item in its hands, or null.</summary>
    public int? HolderOf(ItemId id) => _holders.TryGetValue(id, out var worker) ? worker : null;

    /// <summary>Whether an item is in the hands of the holder of a lease.</summary>
    public bool IsOf(Lease lease, ItemId id) => HolderOf(id) == lease.Name.Worker && _tokens.GetValueOrDefault(lease.Name.Worker!.Value) == lease.Token;

    /// <summary>Takes in the next line.</summary>
    public void Add(WorkerLine line)
    {
        var known = _tokens.GetValueOrDefault(line.Worker);
        // Its lease was over before, and another has its number.
        if (line.Token < known)
            return;
        if (line.Token > known)
        {
            _tokens[line.Worker] = line.Token;
            foreach (var id in _holders.Where(h => h.Value == line.Worker).Select(h => h.Key).ToList())
                _holders.Remove(id);
        }
        foreach (var id in line.Claimed)
            _holders.TryAdd(id, line.Worker);
        foreach (var id in line.Released.Where(id => HolderOf(id) == line.Worker))
            _holders.Remove(id);
    }

    /// <summary>Takes in that an item is done, or failed.</summary>
    public void End(ItemId id) => _holders.Remove(id);
}
