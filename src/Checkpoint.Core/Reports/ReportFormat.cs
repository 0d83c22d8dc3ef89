namespace Checkpoint;

/// <summary>How a report is written.</summary>
public enum ReportFormat
{
    /// <summary>One page, with all that it needs in it.</summary>
    Html,

    /// <summary>Markdown, as for the summary of a CI job.</summary>
    Markdown,

    /// <summary>JSON, for programs; docs/reports.md describes it.</summary>
    Json,
}
