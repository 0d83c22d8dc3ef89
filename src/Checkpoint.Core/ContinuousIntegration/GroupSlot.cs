namespace Checkpoint;

/// <summary>Who has a group open in the log. Groups do not nest: what begins within one, in this process or in one that it started, has none of its own.</summary>
internal sealed class GroupSlot
{
    /// <summary>Tells child processes, whose log is part of ours, that a group is open.</summary>
    public const string Variable = "CHECKPOINT_CI_GROUP";

    private readonly bool _isWithin;
    private int _isTaken;

    /// <param name="isWithin">Whether the log of this process is within somebody else's group.</param>
    public GroupSlot(bool isWithin) => _isWithin = isWithin;

    /// <summary>That of the log of this process.</summary>
    public static GroupSlot OfProcess { get; } = new(Environment.GetEnvironmentVariable(Variable) is { Length: > 0 });

    /// <summary>Takes it, unless somebody has it.</summary>
    public bool TryTake()
    {
        if (_isWithin || Interlocked.Exchange(ref _isTaken, 1) != 0)
            return false;
        Environment.SetEnvironmentVariable(Variable, "open");
        return true;
    }

    /// <summary>Gives it back.</summary>
    public void Release()
    {
        Environment.SetEnvironmentVariable(Variable, null);
        Volatile.Write(ref _isTaken, 0);
    }
}
