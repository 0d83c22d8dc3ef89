namespace Checkpoint.Stores.PostgreSql;

/// <summary>What came of a save.</summary>
/// <param name="IsSaved">Whether it is there.</param>
/// <param name="Last">The highest step that was there before, where the next one was asked for.</param>
/// <param name="IsHeld">Whether the lease is held that it asked for.</param>
internal readonly record struct SaveAnswer(bool IsSaved, long Last, bool IsHeld);
