namespace Checkpoint.Stores.PostgreSql;

/// <summary>What came of a save.</summary>
/// <param name="IsSaved">Whether it is there.</param>
/// <param name="Last">The highest step that is there, where it was not saved.</param>
/// <param name="IsHeld">Whether the lease is held that it asked for.</param>
/// <param name="IsNoted">Whether what was to be appended along with it is there too.</param>
internal readonly record struct SaveAnswer(bool IsSaved, long Last, bool IsHeld, bool IsNoted = false);
