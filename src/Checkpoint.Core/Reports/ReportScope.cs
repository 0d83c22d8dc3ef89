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

    // Where several runs are meant, each of its own pipeline.
    private IReadOnlyList<ReportScope> Parts { get; init; } = [];

    /// <summary>One report about what each of several would be about.</summary>
    public static ReportScope Of(IReadOnlyList<ReportScope> parts) => parts.Count == 1 ? parts[0] : new ReportScope
    {
        Pipeline = NamePattern.Where(name => parts.Any(p => p.Pipeline.IsMatch(name))),
        Run = parts.All(p => p.Run is null) ? null : NamePattern.Where(name => parts.Any(p => p.Run?.IsMatch(name) == true)),
        WithoutRun = parts.Any(p => p.WithoutRun),
        Parts = parts,
    };

    /// <summary>Whether a run is meant, or, of null, what belongs to none; where its pipeline is.</summary>
    public bool Includes(string? run) => run is null ? WithoutRun : Run is not null && Run.IsMatch(run);

    /// <summary>Whether a run of a pipeline that is meant is meant too.</summary>
    public bool Includes(string pipeline, string? run) => Parts.Count == 0 ? Includes(run) : Parts.Any(p => p.Pipeline.IsMatch(pipeline) && p.Includes(run));
}
