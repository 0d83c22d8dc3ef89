namespace Checkpoint;

/// <summary>Names a small document of a pipeline that is no checkpoint, such as the record of a circuit breaker.</summary>
/// <param name="Pipeline">The pipeline's name, NFC.</param>
/// <param name="Kind">What it is, one word in lower case.</param>
/// <param name="Name">Its name, NFC.</param>
internal sealed record DocumentName(string Pipeline, string Kind, string Name)
{
    /// <summary>Whether it is the same, as names are compared.</summary>
    public bool IsSame(DocumentName other) =>
        Kind == other.Kind && CheckpointNames.Key(Pipeline) == CheckpointNames.Key(other.Pipeline) && CheckpointNames.Key(Name) == CheckpointNames.Key(other.Name);

    /// <summary>In words, for messages.</summary>
    public override string ToString() => $"{Kind} '{Name}' of pipeline '{Pipeline}'";
}
