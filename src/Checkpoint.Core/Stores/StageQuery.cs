namespace Checkpoint;

/// <summary>Which stages are meant.</summary>
internal sealed class StageQuery
{
    public required NamePattern Pipeline { get; init; }

    /// <summary>The runs, or null for what belongs to no run.</summary>
    public NamePattern? Run { get; init; }

    public NamePattern Name { get; init; } = NamePattern.Any;

    /// <summary>Whether stages are meant too of which nothing is there but what saves left that were cut off, or a journal of items; for clearing.</summary>
    public bool WithLeftovers { get; init; }

    /// <summary>The one stage that is meant, or null where there may be several.</summary>
    public StageId? Stage => Pipeline.Literal is { } pipeline && Name.Literal is { } name && Run is null or { Literal: not null } ? new StageId(pipeline, Run?.Literal, name) : null;

    /// <summary>Whether a stage is meant.</summary>
    public bool Includes(StageId stage) =>
        Pipeline.IsMatch(stage.Pipeline) && Name.IsMatch(stage.Name) && (stage.Run is null ? Run is null : Run is not null && Run.IsMatch(stage.Run));
}
