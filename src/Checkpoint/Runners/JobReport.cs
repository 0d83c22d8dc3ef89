using System.Management.Automation;
using System.Management.Automation.Host;

namespace Checkpoint;

/// <summary>Tells the CI system, where there is one, what becomes of the stages of a cmdlet.</summary>
/// <remarks>
/// It speaks through the host, and so reaches the log of the step in whatever way the script was started, is no part of what the cmdlet emits even where streams are
/// redirected, and can be said when the pipeline is stopped. The runspaces of <c>ForEach-Object -Parallel</c> and of thread jobs have a host that shows nothing: from there it goes as
/// Write-Host does, which comes to the log where the streams of the job do.
/// </remarks>
internal sealed class JobReport : IDisposable
{
    private static readonly string[] HostTags = ["PSHOST"];

    private readonly PSCmdlet _command;
    private readonly CISystem? _system;
    private readonly JobLog? _log;
    private Exception? _told;

    /// <param name="command">The cmdlet.</param>
    /// <param name="isOff">Whether the user wants none of it.</param>
    public JobReport(PSCmdlet command, bool isOff)
    {
        _command = command;
        if (isOff || Environment.GetEnvironmentVariable(CISystem.Variable) is { } said && (said.Length == 0 || said.Equals("none", StringComparison.OrdinalIgnoreCase)))
            return;
        _system = CISystem.Recognize(Environment.GetEnvironmentVariable);
        if (_system is not null)
            _log = new JobLog(_system, FileSystem.Current, GroupSlot.OfProcess, Write, Warn);
    }

    /// <summary>Whether there is a CI system, and the user wants it told.</summary>
    public bool IsOn => _log is not null;

    /// <summary>Before a stage runs.</summary>
    public void Begin(string title) => _log?.Begin(title);

    /// <summary>After a stage.</summary>
    public void End(string stage, StageStatus status, string? why, TimeSpan duration, Exception? error = null)
    {
        _told = error;
        _log?.End(stage, status, why, duration, PlacesOf(error));
    }

    /// <summary>After a stage that belongs to no run of a pipeline.</summary>
    public void EndAlone(string stage, StageOutcome outcome) => EndAlone(
        stage,
        outcome.Status,
        outcome.Status == StageStatus.Skipped ? outcome.Decision.Reason : outcome.Error is null ? null : BlockErrors.CauseOf(outcome.Error).Message,
        outcome.Duration,
        outcome.Error);

    /// <summary>The same of one that could not be run, or whose result could not be saved.</summary>
    public void FailAlone(string stage, Exception error)
    {
        if (error is not FlowInterruptedException)
            EndAlone(stage, StageStatus.Failed, error.Message, TimeSpan.Zero, error);
    }

    /// <summary>What a pipeline failed with, unless it was told of as the error of a stage.</summary>
    public void Fail(string work, Exception error)
    {
        if (error != _told)
            _log?.Fail($"{work}: {error.Message}", PlacesOf(error));
    }

    /// <summary>Adds Markdown to the summary of the job.</summary>
    public void Summarize(string markdown)
    {
        if (_log?.Summarize(markdown) == true && _system!.SummaryDone is { } line)
            ProcessEnd.SayAtEnd(_command.Host, _command.Events, line);
    }

    /// <summary>Ends a group that is open, also where an error or Ctrl+C ended the work.</summary>
    public void Dispose() => _log?.Dispose();

    private void EndAlone(string stage, StageStatus status, string? why, TimeSpan duration, Exception? error)
    {
        End(stage, status, why, duration, error);
        Summarize(JobSummary.OfStage(stage, status, why, duration));
    }

    private ScriptPlace[] PlacesOf(Exception? error) =>
        [.. new[] { (error as RuntimeException)?.ErrorRecord?.InvocationInfo, _command.MyInvocation }
            .Where(i => !string.IsNullOrEmpty(i?.ScriptName) && i.ScriptLineNumber > 0).Select(i => new ScriptPlace(i!.ScriptName, i.ScriptLineNumber, Math.Max(1, i.OffsetInLine)))];

    private void Write(string line)
    {
        try
        {
            if (ProcessEnd.IsSilent(_command.Host))
                _command.WriteInformation(new HostInformationMessage { Message = line }, HostTags);
            else
                _command.Host.UI?.WriteLine(line);
        }
        catch (Exception e) when (e is HostException or NotImplementedException or IOException or PipelineStoppedException)
        {
            // There is no log, or nobody listens any more: the work goes on.
        }
    }

    private void Warn(string message)
    {
        try
        {
            _command.WriteWarning(message);
        }
        catch (PipelineStoppedException)
        {
            // Nobody listens any more.
        }
    }
}
