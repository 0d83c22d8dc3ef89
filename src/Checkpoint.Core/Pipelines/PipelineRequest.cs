namespace Checkpoint;

/// <summary>A pipeline to be executed.</summary>
internal sealed record PipelineRequest
{
    /// <summary>The pipeline's name, NFC.</summary>
    public required string Pipeline { get; init; }

    /// <summary>The run that is meant, NFC, or null to resume the newest or start one.</summary>
    public string? Run { get; init; }

    public required IReadOnlyList<StageDefinition> Stages { get; init; }

    /// <summary>The fingerprint of the configuration, or null for none.</summary>
    public CheckpointFingerprint? Config { get; init; }

    public ConfigChange OnConfigChange { get; init; }

    public BusyRun WhenBusy { get; init; }

    /// <summary>Whether to start anew whatever is unfinished.</summary>
    public bool Restart { get; init; }

    /// <summary>Whether a run must be there to be resumed; also one that is parked.</summary>
    public bool Resume { get; init; }

    /// <summary>A stage that is to run again, with all that depend on it; or null.</summary>
    public string? From { get; init; }

    /// <summary>Whether to go on, behind a failure, with what does not depend on it.</summary>
    public bool ContinueOnError { get; init; }

    /// <summary>After how many starts without success a run is parked, or null for never.</summary>
    public int? MaxAttempts { get; init; }

    public RetentionPolicy Retention { get; init; } = new();

    /// <summary>What a failure is really about; see <see cref="StageWork.CauseOf"/>.</summary>
    public Func<Exception, Exception> CauseOf { get; init; } = static e => e;
}
