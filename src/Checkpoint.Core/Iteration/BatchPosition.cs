namespace Checkpoint;

/// <summary>Where a <see cref="BatchCursor"/> stands: all that it takes to go on from there, in any process. The data is no part of it.</summary>
/// <param name="Seed">What the generator was seeded with.</param>
/// <param name="Generator">The state of the generator: it has drawn the order of this epoch, and not yet that of the next.</param>
/// <param name="Epoch">The epoch, from 1; 0 before the first batch.</param>
/// <param name="Position">How many elements of this epoch were handed out.</param>
/// <param name="Indices">The order of this epoch: the places of the elements in the data. Null without shuffling, and before the first batch.</param>
internal sealed record BatchPosition(long Seed, ulong[] Generator, int Epoch, int Position, int[]? Indices);
