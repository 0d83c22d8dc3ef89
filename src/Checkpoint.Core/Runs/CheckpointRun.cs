using System.Collections.ObjectModel;

namespace Checkpoint;

/// <summary>One execution of a pipeline, over any number of resumes. Immutable.</summary>
public sealed record CheckpointRun
{
    internal CheckpointRun()
    {
    }

    /// <summary>The store that keeps its record.</summary>
    public string Store { get; internal init; } = "";

    /// <summary>The pipeline.</summary>
    public string Pipeline { get; internal init; } = "";

    /// <summary>The run's id.</summary>
    public string Run { get; internal init; } = "";

    /// <summary>How far it came.</summary>
    public RunStatus Status { get; internal init; }

    /// <summary>When it was first started, UTC.</summary>
    public DateTimeOffset StartedAt { get; internal init; }

    /// <summary>When it ended last, UTC, or null while a process is at work on it and where its process died.</summary>
    public DateTimeOffset? EndedAt { get; internal init; }

    /// <summary>From the first start to the last end, or null while there is none.</summary>
    public TimeSpan? Duration => EndedAt - StartedAt;

    /// <summary>How often it was started: 1 and one more for each resume.</summary>
    public int Attempts { get; internal init; }

    /// <summary>The stages as the last execution left them, in the order in which they ran.</summary>
    public ReadOnlyCollection<StageResult> Stages { get; internal init; } = ReadOnlyCollection<StageResult>.Empty;

    /// <summary>The message of the last error, or null.</summary>
    public string? LastError { get; internal init; }

    /// <summary>The machine that executed it last.</summary>
    public string Host { get; internal init; } = "";

    /// <summary>The user that executed it last.</summary>
    public string User { get; internal init; } = "";

    /// <summary>The process that executed it last.</summary>
    public int ProcessId { get; internal init; }

    /// <summary>The fingerprint of the configuration it was started with, or null where there is none.</summary>
    public CheckpointFingerprint? Fingerprint { get; internal init; }

    /// <summary>Its place in the order of runs, UTC: when it was started, or later where the clock was set back since the run before it was.</summary>
    internal DateTimeOffset SortsAt { get; init; }

    /// <summary>Whether everything is done, so that nothing can be resumed.</summary>
    internal bool IsFinished => Status == RunStatus.Completed;

    /// <summary>The run as this process executes it once more.</summary>
    internal CheckpointRun Begun() => this with
    {
        Status = RunStatus.Running,
        EndedAt = null,
        Attempts = Attempts + 1,
        Host = Environment.MachineName,
        User = Environment.UserName,
        ProcessId = Environment.ProcessId,
    };

    /// <summary>The id.</summary>
    public override string ToString() => Run;
}
