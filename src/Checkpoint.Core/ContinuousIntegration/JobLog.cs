namespace Checkpoint;

/// <summary>Tells a CI system what becomes of stages: a group of the log for each that runs, an error with its place, an output of the step, the summary of the job.</summary>
/// <param name="system">The CI system.</param>
/// <param name="files">Where its files are written.</param>
/// <param name="group">Who has a group open.</param>
/// <param name="write">Writes a line to the log.</param>
/// <param name="warn">Says what could not be done: nothing of this may fail the work.</param>
internal sealed class JobLog(CISystem system, FileSystem files, GroupSlot group, Action<string> write, Action<string> warn) : IDisposable
{
    private readonly HashSet<string> _unwritable = new(StringComparer.Ordinal);
    private bool _isOpen;

    /// <summary>Before a stage runs.</summary>
    public void Begin(string title)
    {
        _isOpen = group.TryTake();
        write(_isOpen ? system.BeginGroup(title) : LogText.Line(title));
    }

    /// <summary>After a stage, whether or not it ran.</summary>
    /// <param name="stage">Its name.</param>
    /// <param name="status">What became of it.</param>
    /// <param name="why">Why it was skipped or not run, or the message of its error.</param>
    /// <param name="duration">How long it took.</param>
    /// <param name="places">Where it failed, the most exact first.</param>
    public void End(string stage, StageStatus status, string? why, TimeSpan duration, params ReadOnlySpan<ScriptPlace> places)
    {
        CloseGroup();
        if (status == StageStatus.Failed)
            Fail($"Stage '{stage}' failed: {why}", places);
        else
            write(LogText.Line(status == StageStatus.Completed ? $"Stage '{stage}' completed in {Amounts.Duration(duration)}" : $"Stage '{stage}' {Word(status)}: {why}"));
        if (status is StageStatus.Completed or StageStatus.Skipped or StageStatus.Failed)
            Set(StepOutputName.Of(stage), Word(status));
    }

    /// <summary>Shows an error.</summary>
    public void Fail(string message, params ReadOnlySpan<ScriptPlace> places) => write(system.Error(message, places));

    /// <summary>Adds Markdown to the summary of the job.</summary>
    /// <returns>Whether it is there.</returns>
    public bool Summarize(string markdown) =>
        system.SummaryFile is { } file && TryWrite(file, "summary of the job", () => StepFile.SummarizeAsync(files, file, markdown, system.SummaryLimit, CancellationToken.None));

    /// <summary>Ends a group that is open.</summary>
    public void Dispose() => CloseGroup();

    private static string Word(StageStatus status) => status == StageStatus.NotRun ? "not run" : status.ToString().ToLowerInvariant();

    private void CloseGroup()
    {
        if (!_isOpen)
            return;
        _isOpen = false;
        // In this order, or another stage of the process begins its group within this one.
        write(system.EndGroup);
        group.Release();
    }

    private void Set(string name, string value)
    {
        var output = system.SetOutput(name, value);
        if (output.File is not { } file)
            write(output.Text);
        else if (file.Length > 0)
            TryWrite(file, "outputs of the step", () => StepFile.AppendAsync(files, file, output.Text, CancellationToken.None));
    }

    private bool TryWrite(string file, string what, Func<ValueTask> work)
    {
        try
        {
            // Elsewhere: what waits for a lock would go on by the caller's thread, which waits for it.
            Task.Run(() => work().AsTask()).GetAwaiter().GetResult();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // Once is enough: a pipeline may have a hundred stages.
            if (_unwritable.Add(file))
                warn(LogText.Safe($"The {what} cannot be written: {e.Message}"));
            return false;
        }
    }
}
