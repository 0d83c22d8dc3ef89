namespace Checkpoint;

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
