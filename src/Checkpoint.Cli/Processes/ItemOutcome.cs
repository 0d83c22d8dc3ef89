namespace Checkpoint.Cli;

/// <summary>What became of the items of a stage.</summary>
/// <param name="Counts">How many are what.</param>
/// <param name="Failures">Those that failed in this call.</param>
/// <param name="Checkpoint">The checkpoint that was saved, or null where none was.</param>
/// <param name="Error">Why the stage is not complete, or why older steps could not be pruned; or null.</param>
internal sealed record ItemOutcome(ItemCounts Counts, IReadOnlyList<ReportItemFailure> Failures, CheckpointInfo? Checkpoint, CheckpointException? Error)
{
    /// <summary>Completed, Skipped where nothing was left to be done, Failed, or NotRun where there was no item.</summary>
    public StageStatus Status => Counts.Items == 0 ? StageStatus.NotRun : !Counts.AreAllDone ? StageStatus.Failed : Counts.Done == 0 ? StageStatus.Skipped : StageStatus.Completed;
}
