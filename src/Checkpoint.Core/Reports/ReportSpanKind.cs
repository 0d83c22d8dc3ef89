namespace Checkpoint;

/// <summary>What a stage did for a time.</summary>
internal enum ReportSpanKind
{
    /// <summary>It was at work: one try.</summary>
    Attempt,

    /// <summary>It waited for its next try.</summary>
    Wait,

    /// <summary>A script saved its checkpoint; when it began is not known.</summary>
    Save,
}
