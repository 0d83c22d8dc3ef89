namespace Checkpoint;

/// <summary>What entries and leases in a store are found by.</summary>
/// <remarks>
/// The texts are to be compared and ordered by their code points, as .NET does with <see cref="StringComparison.Ordinal"/> and PostgreSQL with the collation C. What is the same to a user in spite of
/// case or normal form has the same text already. None is empty, has control characters or more than 400 characters.
/// </remarks>
/// <param name="Kind">What it is: a short word of small letters and hyphens, such as <c>checkpoint</c>, <c>run</c> or <c>history</c>. A driver takes every one.</param>
/// <param name="Pipeline">The pipeline.</param>
/// <param name="Run">The run, or null where it belongs to none.</param>
/// <param name="Name">The name, or null where the pipeline or run as a whole is meant.</param>
public sealed record StoreKey(string Kind, string Pipeline, string? Run, string? Name);
