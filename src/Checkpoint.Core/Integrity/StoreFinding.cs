namespace Checkpoint;

/// <summary>Something that a verification of a store found, or that a repair saw to. Immutable.</summary>
public sealed record StoreFinding
{
    internal StoreFinding()
    {
    }

    /// <summary>What is the matter.</summary>
    public StoreFindingKind Kind { get; internal init; }

    /// <summary>How grave it is.</summary>
    public FindingSeverity Severity { get; internal init; }

    /// <summary>What a repair did about it; <see cref="FindingAction.None"/> where it was only found.</summary>
    public FindingAction Action { get; internal init; }

    /// <summary>The store: a folder path or a URI.</summary>
    public string Store { get; internal init; } = "";

    /// <summary>The pipeline, as far as its folder tells the name, or null.</summary>
    public string? Pipeline { get; internal init; }

    /// <summary>The run, or null.</summary>
    public string? Run { get; internal init; }

    /// <summary>The stage, or null.</summary>
    public string? Name { get; internal init; }

    /// <summary>The step, or null.</summary>
    public long? Step { get; internal init; }

    /// <summary>Where it is: for a folder store the path of the file or folder.</summary>
    public string Location { get; internal init; } = "";

    /// <summary>What was found, and what it means.</summary>
    public string Message { get; internal init; } = "";

    /// <summary>The entry that it is about, in a driver's store.</summary>
    internal StoreEntry? Entry { get; init; }

    /// <summary>What a repair would do about it.</summary>
    internal FindingAction Remedy => Kind switch
    {
        StoreFindingKind.DamagedRecord or StoreFindingKind.DamagedPayload or StoreFindingKind.UndecodableState or StoreFindingKind.NotAuthentic or StoreFindingKind.Misplaced or StoreFindingKind.DamagedJournal
            or StoreFindingKind.DamagedRun or StoreFindingKind.DamagedBreaker or StoreFindingKind.NotAFile => FindingAction.Quarantined,
        StoreFindingKind.Leftover => FindingAction.Removed,
        StoreFindingKind.HistoryHead => FindingAction.Rebuilt,
        StoreFindingKind.HistoryBroken when Severity == FindingSeverity.Error => FindingAction.Acknowledged,
        _ => FindingAction.None,
    };

    /// <summary>The severity, the kind and the place.</summary>
    public override string ToString() => $"{Severity}: {Kind} {Location}";
}
