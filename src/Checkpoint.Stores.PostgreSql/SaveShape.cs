namespace Checkpoint.Stores.PostgreSql;

/// <summary>What a save's statement must do.</summary>
/// <param name="Step">Which step it is for.</param>
/// <param name="IsFenced">Whether a lease must be held.</param>
/// <param name="HasChunks">Whether it brings its payload along.</param>
/// <param name="Follows">Whether it must come behind the entry that it was made for.</param>
/// <param name="IsDurable">Whether its commit waits for the disk.</param>
internal readonly record struct SaveShape(StepRule Step, bool IsFenced, bool HasChunks, bool Follows, bool IsDurable)
{
    private static readonly bool[] Both = [false, true];

    public static IEnumerable<SaveShape> All =>
        from step in Enum.GetValues<StepRule>() from fenced in Both from chunks in Both from follows in Both from durable in Both
        select new SaveShape(step, fenced, chunks, follows, durable);
}
