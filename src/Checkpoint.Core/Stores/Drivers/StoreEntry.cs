namespace Checkpoint;

/// <summary>One numbered version of what is stored under a key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Step">The number, 0 or more.</param>
/// <param name="Record">What was given at the commit, at most 16 MiB.</param>
/// <param name="Revision">The text that was given with it, and that is another one whenever the record is.</param>
/// <param name="PayloadLength">The length of its payload in bytes; null where it has none.</param>
public sealed record StoreEntry(StoreKey Key, long Step, ReadOnlyMemory<byte> Record, string Revision, long? PayloadLength);
