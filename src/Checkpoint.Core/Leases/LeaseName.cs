namespace Checkpoint;

/// <summary>What a lease is on: a pipeline, a run of it, a stage, or a document.</summary>
/// <param name="Pipeline">The pipeline's name, NFC.</param>
/// <param name="Run">The run's id, NFC, or null.</param>
/// <param name="Name">The stage's name, NFC, or null for the pipeline or run as a whole.</param>
internal sealed record LeaseName(string Pipeline, string? Run, string? Name)
{
    public LeaseName(StageId stage)
        : this(stage.Pipeline, stage.Run, stage.Name)
    {
    }

    public LeaseName(DocumentName document)
        : this(document.Pipeline, null, document.Name) => Document = document;

    /// <summary>The document that it is on, or null.</summary>
    public DocumentName? Document { get; }

    /// <summary>Which of those who work on the stage's items together has it, from 1 up; null where it is on the stage as a whole.</summary>
    public int? Worker { get; init; }

    /// <summary>In words, for messages.</summary>
    public override string ToString() =>
        Document is not null ? Document.ToString()
        : Name is not null ? "checkpoint " + new StageId(Pipeline, Run, Name)
        : Run is null ? $"pipeline '{Pipeline}'" : $"run '{Run}' of pipeline '{Pipeline}'";
}
