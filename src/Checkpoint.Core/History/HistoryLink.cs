namespace Checkpoint;

/// <summary>A place in the chain of a history: the number of a line, and the hash of it and all before it.</summary>
/// <param name="Number">The line's number, from 1; 0 before the first.</param>
/// <param name="Chain">64 lower-case hexadecimal digits.</param>
internal readonly record struct HistoryLink(long Number, string Chain)
{
    /// <summary>What the first line is chained to.</summary>
    public static HistoryLink Start { get; } = new(0, new string('0', 64));
}
