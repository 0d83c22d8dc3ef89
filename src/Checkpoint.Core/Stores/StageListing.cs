namespace Checkpoint;

/// <summary>A stage that is in a store.</summary>
/// <param name="Stage">The stage, named as it was last saved.</param>
/// <param name="Steps">The steps that have a record, intact or not, newest first; none only where <see cref="StageQuery.WithLeftovers"/> was asked for.</param>
/// <param name="Newest">What reading the first of <paramref name="Steps"/> gave; nothing where there is none.</param>
internal sealed record StageListing(StageId Stage, IReadOnlyList<long> Steps, CheckpointReading Newest);

/// <summary>What reading a record gave: the checkpoint, or why there is none.</summary>
internal readonly struct CheckpointReading
{
    public CheckpointReading(CheckpointInfo info) => Info = info;

    public CheckpointReading(CheckpointException fault) => Fault = fault;

    /// <summary>The intact checkpoint, or null.</summary>
    public CheckpointInfo? Info { get; }

    /// <summary>Why it cannot be used: <see cref="CheckpointErrorKind.CheckpointDamaged"/> or <see cref="CheckpointErrorKind.FormatTooNew"/>; or null.</summary>
    public CheckpointException? Fault { get; }

    /// <summary>True where there was no record (any more).</summary>
    public bool IsMissing => Info is null && Fault is null;

    /// <summary>The checkpoint, or its fault as an exception, or null where there was none.</summary>
    public CheckpointInfo? OrThrow() => Fault is null ? Info : throw Fault;
}
