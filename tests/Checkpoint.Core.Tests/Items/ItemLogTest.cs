namespace Checkpoint.Tests;

/// <summary>What tests of journals share: a journal in a folder store, and ways to look at it and to damage it.</summary>
public abstract class ItemLogTest : StoreTest
{
    private protected TestFileSystem Files { get; } = new();

    private protected ManualTime Time { get; } = new();

    private protected string JournalPath => Path.Join(StageFolder, FolderLayout.ItemsName);

    private protected static ItemEntry Entry(string key, string? error = null, ItemOutput? output = null) => new() { Id = ItemId.Of(key), Key = key, At = Noon, Error = error, Output = output };

    private protected ItemLog Open() => new FolderItems(Root, Files, Stage);

    private protected ItemJournal Journal(Action? onDurable = null) => new(Open(), Time, onDurable, default);

    private protected void Write(params ItemEntry[] entries)
    {
        using var log = Open();
        log.ReadAll(_ => { }, default);
        log.Append(entries, default);
    }

    /// <summary>The items that the journal says are done, of those asked for; and how many lines were not whole.</summary>
    private protected (string Done, int Damaged) Read(params string[] keys)
    {
        using var log = Open();
        var done = new Dictionary<ItemId, bool>();
        var damaged = log.ReadAll(mark => done[mark.Id] = mark.IsDone, default);
        return (string.Join(' ', keys.Where(k => done.GetValueOrDefault(ItemId.Of(k)))), damaged);
    }
}
