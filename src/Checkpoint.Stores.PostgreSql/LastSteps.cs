using System.Collections.Concurrent;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>The highest steps that this process has seen: guesses, by which most saves need to ask the server once only.</summary>
internal sealed class LastSteps
{
    // Far more than are saved to in turn; a loop over generated names must not grow for ever.
    private const int MaxKeys = 4096;
    private const int MaxRecord = 64 << 10;

    private readonly ConcurrentDictionary<StoreKey, long> _steps = new();
    private readonly ConcurrentDictionary<StoreKey, StoreEntry> _entries = new();
    private readonly ConcurrentDictionary<StoreKey, string> _own = new();

    public long? StepOf(StoreKey key) => _steps.TryGetValue(key, out var step) ? step : null;

    public void Saw(StoreKey key, long step) => Set(_steps, key, step);

    /// <summary>The entry that this process appended last, while nobody else does.</summary>
    public StoreEntry? EntryOf(StoreKey key) => _entries.GetValueOrDefault(key);

    /// <summary>The same, for one to use: others find none until he has appended.</summary>
    public StoreEntry? Take(StoreKey key) => _entries.TryRemove(key, out var entry) ? entry : null;

    public void Forget(StoreKey key) => _entries.TryRemove(key, out _);

    /// <summary>Keeps an entry that was appended where the one before it was this process's own too.</summary>
    public void Appended(StoreEntry entry, string? before)
    {
        if (entry.Record.Length <= MaxRecord && (before is null || _own.GetValueOrDefault(entry.Key) == before))
            Set(_entries, entry.Key, entry);
        else
            Forget(entry.Key);
        Set(_own, entry.Key, entry.Revision);
    }

    private static void Set<T>(ConcurrentDictionary<StoreKey, T> map, StoreKey key, T value)
    {
        if (map.Count >= MaxKeys)
            map.Clear();
        map[key] = value;
    }
}
