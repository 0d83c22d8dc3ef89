namespace Checkpoint;

/// <summary>What a report is about.</summary>
internal sealed class ReportScope
{
    /// <summary>The pipelines.</summary>
    public NamePattern Pipeline { get; init; } = NamePattern.Any;

    /// <summary>The runs, or null for none.</summary>
    public NamePattern? Run { get; init; } = NamePattern.Any;

    /// <summary>Whether it is about what belongs to no run, too.</summary>
    public bool WithoutRun { get; init; } = true;

    /// <summary>Whether a run is meant, or, of null, what belongs to none.</summary>
    public bool Includes(string? run) => run is null ? WithoutRun : Run is not null && Run.IsMatch(run);
}
