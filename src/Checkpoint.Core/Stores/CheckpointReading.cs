namespace Checkpoint;

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
