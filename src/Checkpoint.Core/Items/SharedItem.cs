namespace Checkpoint;

/// <summary>An item of a list that several work on together.</summary>
/// <param name="Item">The item; the cmdlet's.</param>
/// <param name="Id">Its id.</param>
/// <param name="Key">Its key.</param>
internal sealed record SharedItem(object? Item, ItemId Id, string Key);
