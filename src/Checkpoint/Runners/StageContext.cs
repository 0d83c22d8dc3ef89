namespace Checkpoint;

/// <summary>What a stage's block sees as <c>$_</c> and as its first argument.</summary>
public sealed class StageContext
{
    private readonly Action<int, string?> _progress;

    internal StageContext(StageId stage, int attempt, object? config, StageOutputs output, Action<int, string?> progress)
    {
        Name = stage.Name;
        Pipeline = stage.Pipeline;
        Run = stage.Run;
        Attempt = attempt;
        Config = config;
        Output = output;
        _progress = progress;
    }

    /// <summary>The stage.</summary>
    public string Name { get; }

    /// <summary>The pipeline.</summary>
    public string Pipeline { get; }

    /// <summary>The run, or null where the stage belongs to none.</summary>
    public string? Run { get; }

    /// <summary>Which attempt this is, from 1 up.</summary>
    public int Attempt { get; }

    /// <summary>The configuration, as it was given.</summary>
    public object? Config { get; }

    /// <summary>The results of the stages that this one depends on.</summary>
    public StageOutputs Output { get; }

    /// <summary>Shows how far the stage is.</summary>
    /// <param name="percent">From 0 to 100, or below 0 where it cannot be told.</param>
    /// <param name="text">What is under way, or null.</param>
    public void Progress(int percent, string? text = null) => _progress(percent, text);
}
