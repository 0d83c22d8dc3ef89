namespace Checkpoint;

/// <summary>What a repair did about a finding.</summary>
public enum FindingAction
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It was moved into the store's quarantine, in full.</summary>
    Quarantined,

    /// <summary>It was removed: what a crash left, of which nobody knows any more.</summary>
    Removed,

    /// <summary>It was made again from what it is derived from.</summary>
    Rebuilt,

    /// <summary>It cannot be mended; the history says now that it is known.</summary>
    Acknowledged,
}
