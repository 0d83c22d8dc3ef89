namespace Checkpoint;

/// <summary>An item that is given to a runspace.</summary>
internal sealed class ItemTask(object? item, ItemId id, string key)
{
    public object? Item => item;

    public ItemId Id => id;

    public string Key => key;

    /// <summary>The last of its output so far, which was not given on yet; touched on the pipeline's thread alone.</summary>
    public Held? Held { get; set; }
}
