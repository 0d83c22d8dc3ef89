namespace Checkpoint;

/// <summary>A stage that is in a store.</summary>
/// <param name="Stage">The stage, named as it was last saved.</param>
/// <param name="Steps">The steps that have a record, intact or not, newest first; none where only leftovers are there, or where it cannot be read.</param>
/// <param name="Newest">What reading the first of <paramref name="Steps"/> gave; nothing where there is none.</param>
internal sealed record StageListing(StageId Stage, IReadOnlyList<long> Steps, CheckpointReading Newest)
{
    /// <summary>Whether it has a journal of items.</summary>
    public bool HasItems => FindItems();

    /// <summary>Finds that out.</summary>
    public Func<bool> FindItems { private get; init; } = static () => false;
}
