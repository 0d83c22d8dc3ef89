using System.Collections.ObjectModel;

namespace Checkpoint;

/// <summary>A checkpoint to be committed.</summary>
internal sealed record CheckpointDraft
{
    public required StageId Stage { get; init; }

    /// <summary>The step, or null for the latest plus 1 (1 for the first).</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is below 0.</exception>
    public long? Step
    {
        get;
        init => field = value is not < 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A step is 0 or more.");
    }

    /// <summary>Whether an existing step is replaced.</summary>
    public bool Overwrite { get; init; }

    public CheckpointFingerprint? Fingerprint { get; init; }

    public ReadOnlyDictionary<string, object?> Metadata { get; init; } = CheckpointInfo.NoMetadata;

    public ReadOnlyDictionary<string, object?>? Identity { get; init; }

    public ReadOnlyCollection<OutputFile> OutputFiles { get; init; } = ReadOnlyCollection<OutputFile>.Empty;

    /// <summary>The state, or null for none.</summary>
    public IStateSource? State { get; init; }

    /// <summary>Of what is encrypted, makes what the record must keep for its key. Called by the store when it knows the step and has written the state, for each step that it tries.</summary>
    public Func<CheckpointInfo, Envelope>? Close { get; init; }

    /// <summary>The lease without which it must not be committed, or null.</summary>
    public LeaseFence? Fence { get; init; }

    /// <summary>When it is saved, UTC.</summary>
    public required DateTimeOffset SavedAt { get; init; }

    /// <summary>Who saves it.</summary>
    public CheckpointOrigin Origin { get; init; } = CheckpointOrigin.Self;

    /// <summary>What the history is to say of it, for stores that can write both at once; or null.</summary>
    public HistoryNote? Note { get; init; }

    /// <summary>Told the number of payload bytes written so far, on the caller's thread.</summary>
    public Action<long>? Progress { get; init; }

    /// <summary>The checkpoint that this will be, but for what is encrypted of it.</summary>
    /// <param name="store">The store's name.</param>
    /// <param name="location">Where the record will lie.</param>
    /// <param name="step">The step.</param>
    /// <param name="state">The state as it was written.</param>
    public CheckpointInfo Describe(string store, string location, long step, StoredState? state) => new()
    {
        Store = store,
        Pipeline = Stage.Pipeline,
        Run = Stage.Run,
        Name = Stage.Name,
        Step = step,
        SavedAt = SavedAt,
        Fingerprint = Fingerprint,
        Metadata = Metadata,
        Identity = Identity,
        OutputFiles = OutputFiles,
        Host = Origin.Host,
        User = Origin.User,
        ProcessId = Origin.ProcessId,
        Location = location,
        State = state,
    };
}
