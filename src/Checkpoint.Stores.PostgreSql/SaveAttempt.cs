namespace Checkpoint.Stores.PostgreSql;

/// <summary>What a save tries to commit.</summary>
/// <param name="Step">The step.</param>
/// <param name="Record">Its record.</param>
/// <param name="Revision">The record's revision.</param>
/// <param name="After">The revision of the entry that it follows, empty where it is the first; null where any will do.</param>
internal sealed record SaveAttempt(long Step, ReadOnlyMemory<byte> Record, string Revision, string? After)
{
    /// <summary>By this it is found where the answer was lost.</summary>
    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>What it tries to append along with it, or null.</summary>
    public SaveAttempt? Note { get; init; }
}
