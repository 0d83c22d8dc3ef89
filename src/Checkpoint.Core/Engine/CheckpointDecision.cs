namespace Checkpoint;

/// <summary>What is to be done with a stage.</summary>
public enum StageDecision
{
    /// <summary>It is done: skip it.</summary>
    Skip,

    /// <summary>It is to be run.</summary>
    Run,
}

/// <summary>Why a stage is skipped or run.</summary>
public enum DecisionCause
{
    /// <summary>An intact checkpoint says that it completed, and everything asked of it holds.</summary>
    Completed,

    /// <summary>There is no checkpoint, or no such step.</summary>
    NotFound,

    /// <summary>There are records, but none is intact.</summary>
    Damaged,

    /// <summary>The fingerprint is another one, or there was none at the save.</summary>
    FingerprintChanged,

    /// <summary>The checkpoint is older than was asked for.</summary>
    Expired,

    /// <summary>An output file is missing or has another content.</summary>
    OutputChanged,

    /// <summary>It was asked to run regardless.</summary>
    Forced,
}

/// <summary>The answer of <c>Test-Checkpoint -Detailed</c>: whether to skip or run a stage, and why.</summary>
public sealed class CheckpointDecision
{
    private readonly string? _reason;

    internal CheckpointDecision(string name, DecisionCause cause, string? reason, CheckpointInfo? checkpoint, IReadOnlyList<FingerprintChange>? changed = null)
    {
        Name = name;
        Cause = cause;
        _reason = reason;
        Checkpoint = checkpoint;
        Changed = changed ?? [];
    }

    /// <summary>The stage.</summary>
    public string Name { get; }

    /// <summary>Skip or Run.</summary>
    public StageDecision Decision => Cause == DecisionCause.Completed ? StageDecision.Skip : StageDecision.Run;

    /// <summary>Why, for a program.</summary>
    public DecisionCause Cause { get; }

    /// <summary>Why, in a sentence.</summary>
    public string Reason => _reason ?? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"it completed at {Checkpoint!.SavedAt:u}");

    /// <summary>The parts of the fingerprint that changed, with their hashes then and now.</summary>
    public IReadOnlyList<FingerprintChange> Changed { get; }

    /// <summary>The checkpoint that was looked at, or null.</summary>
    public CheckpointInfo? Checkpoint { get; }

    /// <summary>Damage that was passed over on the way, for the caller to warn of.</summary>
    internal IReadOnlyList<CheckpointException> Damage { get; init; } = [];
}
