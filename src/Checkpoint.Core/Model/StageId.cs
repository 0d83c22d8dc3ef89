namespace Checkpoint;

/// <summary>Names one stage of a pipeline, and of a run where one is given. Equal when the names are equal as <see cref="CheckpointNames"/> compares them.</summary>
internal sealed class StageId : IEquatable<StageId>
{
    /// <summary>Checks and normalises the names.</summary>
    /// <param name="pipeline">The pipeline's name.</param>
    /// <param name="run">The run's id, or null where the checkpoint belongs to no run.</param>
    /// <param name="name">The stage's name.</param>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.InvalidName"/></exception>
    public StageId(string pipeline, string? run, string name)
    {
        Pipeline = CheckpointNames.Normalize(pipeline, "pipeline");
        Run = run is null ? null : CheckpointNames.Normalize(run, "run");
        Name = CheckpointNames.Normalize(name, "checkpoint");
    }

    /// <summary>The pipeline's name, NFC.</summary>
    public string Pipeline { get; }

    /// <summary>The run's id, NFC, or null.</summary>
    public string? Run { get; }

    /// <summary>The stage's name, NFC.</summary>
    public string Name { get; }

    /// <summary>What a store needs to find a stage that it listed itself, such as a folder whose records no longer tell their name.</summary>
    internal string? Locator { get; init; }

    /// <summary>The same for another store than that which listed it.</summary>
    internal StageId Elsewhere => Locator is null ? this : new(Pipeline, Run, Name);

    /// <inheritdoc/>
    public bool Equals(StageId? other) =>
        other is not null
        && CheckpointNames.Key(Name) == CheckpointNames.Key(other.Name)
        && CheckpointNames.Key(Pipeline) == CheckpointNames.Key(other.Pipeline)
        && (Run is null ? other.Run is null : other.Run is not null && CheckpointNames.Key(Run) == CheckpointNames.Key(other.Run));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as StageId);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        HashCode.Combine(CheckpointNames.Key(Pipeline), Run is null ? null : CheckpointNames.Key(Run), CheckpointNames.Key(Name));

    /// <summary>The stage in words, for messages: <c>'ingest' (pipeline 'nightly', run '7')</c>.</summary>
    public override string ToString() =>
        Run is null ? $"'{Name}' (pipeline '{Pipeline}')" : $"'{Name}' (pipeline '{Pipeline}', run '{Run}')";
}
