namespace Checkpoint.Stores.PostgreSql;

/// <summary>What a save's statement must do.</summary>
/// <param name="Step">Which step it is for.</param>
/// <param name="IsFenced">Whether a lease must be held.</param>
/// <param name="HasChunks">Whether it brings its payload along.</param>
/// <param name="Follows">Whether it must come behind the entry that it was made for.</param>
/// <param name="HasNote">Whether it appends an entry under another key along with it.</param>
/// <param name="IsDurable">Whether its commit waits for the disk.</param>
internal readonly record struct SaveShape(StepRule Step, bool IsFenced, bool HasChunks, bool Follows, bool HasNote, bool IsDurable)
{
    /// <summary>The number of the first parameter of each part that it has, in this order, behind the eleven that all have.</summary>
    public const int FollowsAt = 12;

    private static readonly bool[] Both = [false, true];

    public static IEnumerable<SaveShape> All =>
        from step in Enum.GetValues<StepRule>() from fenced in Both from chunks in Both from follows in Both from note in Both from durable in Both
        where !(follows && note)
        select new SaveShape(step, fenced, chunks, follows, note, durable);

    public int FenceAt => FollowsAt + (Follows ? 1 : 0);

    public int ChunksAt => FenceAt + (IsFenced ? 5 : 0);

    public int NoteAt => ChunksAt + (HasChunks ? 1 : 0);
}
