namespace Checkpoint.Stores.PostgreSql;

/// <summary>What a listing is told beside the kind.</summary>
internal readonly record struct ListShape(bool HasPipeline, bool HasRun, bool HasName, bool IsFirst)
{
    private static readonly bool[] Both = [false, true];

    public static IEnumerable<ListShape> All =>
        from pipeline in Both from run in Both from name in Both from first in Both select new ListShape(pipeline, run, name, first);
}
