namespace Checkpoint;

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
