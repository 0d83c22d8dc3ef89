namespace Checkpoint;

/// <summary>How grave a finding in a store is.</summary>
public enum FindingSeverity
{
    /// <summary>Nothing is wrong: it is told so that nobody wonders, as what a crash left.</summary>
    Information,

    /// <summary>Nothing saved is lost, but somebody should look.</summary>
    Warning,

    /// <summary>Something that was saved is damaged, or something is where it must not be.</summary>
    Error,
}
