namespace Checkpoint;

/// <summary>The event of a save, which a store may write along with it.</summary>
/// <param name="describe">Makes the event from the step that is saved.</param>
internal sealed class HistoryNote(Func<long, CheckpointEvent> describe)
{
    /// <summary>The event as it was described last, which is the one that was written.</summary>
    public CheckpointEvent? Event { get; private set; }

    /// <summary>Makes the event of a step.</summary>
    public CheckpointEvent Describe(long step) => Event = describe(step);

    /// <summary>Whether it is in the history; where not it is still to be appended.</summary>
    public bool IsWritten { get; set; }
}
