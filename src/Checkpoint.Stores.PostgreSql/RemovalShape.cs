namespace Checkpoint.Stores.PostgreSql;

/// <summary>What a statement that removes must do.</summary>
/// <param name="Some">Whether single steps are removed, or all.</param>
/// <param name="IsFenced">Whether only under a lease.</param>
internal sealed record RemovalShape(bool Some, bool IsFenced)
{
    public static IEnumerable<RemovalShape> All => [new(false, false), new(false, true), new(true, false), new(true, true)];

    /// <summary>The first parameter of the lease.</summary>
    public int FenceAt => Some ? 9 : 7;
}
