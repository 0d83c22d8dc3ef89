using System.Globalization;

namespace Checkpoint;

/// <summary>Tells the CI system how a pipeline goes on, around what else is told of it: what hooks say belongs into the group of their stage.</summary>
/// <param name="inner">What else is told.</param>
/// <param name="job">The CI system.</param>
/// <param name="report">Makes the report of a run of the runner's account.</param>
internal sealed class JobObserver(IPipelineObserver inner, JobReport job, Func<CheckpointRun, ReportRun> report) : IPipelineObserver
{
    private CheckpointRun? _run;

    public void Warn(string message) => inner.Warn(message);

    public void PipelineStarted(CheckpointRun run, bool isResumed) => inner.PipelineStarted(_run = run, isResumed);

    public void StageStarted(StageId stage, CheckpointDecision decision, int number, int count)
    {
        job.Begin(string.Create(CultureInfo.InvariantCulture, $"Stage '{stage.Name}' ({number} of {count})"));
        inner.StageStarted(stage, decision, number, count);
    }

    public void StageRetried(StageId stage, Exception error, int attempt, int retries, TimeSpan pause) => inner.StageRetried(stage, error, attempt, retries, pause);

    public void CircuitChanged(StageId stage, CircuitChange change) => inner.CircuitChanged(stage, change);

    public void StageEnded(StageId stage, StageResult result, Exception? error)
    {
        try
        {
            inner.StageEnded(stage, result, error);
        }
        finally
        {
            job.End(stage.Name, result.Status, result.Error ?? result.Reason, result.Duration, error);
        }
    }

    public void PipelineEnded(PipelineResult result)
    {
        // First, for where the user stopped it the rest cannot be said.
        job.Dispose();
        if (_run is not null && job.IsOn)
            job.Summarize(JobSummary.OfRun(report(_run with { Status = result.Status, EndedAt = TimeProvider.System.GetUtcNow(), Stages = result.Stages })));
        inner.PipelineEnded(result);
    }
}
