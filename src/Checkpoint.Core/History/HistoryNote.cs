namespace Checkpoint;

/// <summary>The event of a save, which a store may write along with it.</summary>
/// <param name="describe">Makes the event from the step that is saved.</param>
internal sealed class HistoryNote(Func<long, CheckpointEvent> describe)
{
    public Func<long, CheckpointEvent> Describe => describe;

    /// <summary>Whether it is in the history; where not it is still to be appended.</summary>
    public bool IsWritten { get; set; }
}
